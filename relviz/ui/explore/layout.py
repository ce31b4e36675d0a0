"""The controls of Explore's maps, below the shared ones: which reduction draws, and how."""

from __future__ import annotations

import streamlit as st

from relviz import settings
from relviz.core.reductions import METRICS, REDUCTIONS
from relviz.data.dataset import DataSet
from relviz.requests import Layout
from relviz.ui.limits import whole_number
from relviz.usecases.maps import FEWEST_NEIGHBOURS, MOST_NEIGHBOURS


def choose_layout(data: DataSet) -> tuple[str, Layout]:
    """Draw the controls; the chosen reduction and its options, those it does not heed at their defaults."""
    most = min(MOST_NEIGHBOURS, len(data) - data.gallery_size - 1)
    with st.sidebar, st.expander("Maps"):
        if most < FEWEST_NEIGHBOURS:
            st.caption("PCA alone draws so few samples.")
            return "pca", Layout()
        reduction = st.selectbox(
            "Reduction",
            list(REDUCTIONS),
            index=list(REDUCTIONS).index("umap"),
            format_func=lambda name: REDUCTIONS[name].label,
            key="reduction",
            bind="query-params",
            help="PCA maps come first, in any case; another reduction then refines them.",
        )
        heeds = REDUCTIONS[reduction].heeds
        return reduction, _layout(heeds, most) if heeds else Layout()


def _layout(heeds: frozenset[str], most: int) -> Layout:
    metric = st.selectbox(
        "Metric",
        list(METRICS),
        key="metric",
        bind="query-params",
        help="How near two samples are for the reduction. The share that a map keeps is always by cosine.",
    )
    seed = st.number_input(
        "Seed of the maps", 0, 9999, 0, key="map-seed", bind="query-params", help="Another seed, another layout."
    )
    if "neighbours" not in heeds:
        return Layout(min(settings.MAP_NEIGHBOURS, most), metric=metric, seed=int(seed))
    neighbours = whole_number(
        "Neighbours of the map",
        FEWEST_NEIGHBOURS,
        most,
        settings.MAP_NEIGHBOURS,
        key="map-neighbours",
        help="Few show fine structure, many the coarse one.",
    )
    if "min_dist" not in heeds:
        return Layout(neighbours=neighbours, metric=metric, seed=int(seed))
    min_dist = st.slider(
        "Minimum distance", 0.0, 0.99, 0.1, key="min-dist", bind="query-params", help="How near points may come."
    )
    return Layout(neighbours, min_dist, metric, int(seed))
