"""Explore: four maps of one pair of models."""

import streamlit as st

from relviz.plots.maps import plot_four_maps
from relviz.plots.words import pair_sentence
from relviz.service.maps import FourMaps
from relviz.service.requests import Compare, Maps, Stitch
from relviz.ui.asking import ask
from relviz.ui.controls import Choice, chosen
from relviz.ui.layout import draw


def sentence(choice: Choice) -> None:
    comparison = ask(Compare(choice.a, choice.b, choice.data, choice.anchors, choice.k), slot="compare")
    pair = tuple(dict.fromkeys((choice.a, choice.b)))
    cells = ask(Stitch(pair, choice.data, choice.anchors), slot="stitch")
    if comparison is not None and cells is not None:
        st.markdown(pair_sentence(comparison, cells, choice.a, choice.b, choice.anchors.count))


def show(maps: FourMaps, choice: Choice, reduction: str) -> None:
    data = choice.dataset
    figure = plot_four_maps(
        maps,
        a=choice.a,
        b=choice.b,
        labels=data.labels[data.held_out],
        class_names=data.class_names,
        first_row=data.gallery_size,
        height=575,
    )
    kept = ", ".join(
        f"{name} {getattr(maps, name).kept:.2f}" for name in ("absolute_a", "absolute_b", "relative_a", "relative_b")
    )
    draw(
        figure,
        key="maps",
        alt=f"Four {reduction} maps of {choice.a} and {choice.b}; shares of true neighbours kept: {kept}",
    )


def maps(choice: Choice) -> None:
    picture, status = st.container(), st.container()
    with status:
        umap = ask(Maps(choice.a, choice.b, choice.data, choice.anchors, "umap"), slot="umap")
    with picture:
        pca = None if umap else ask(Maps(choice.a, choice.b, choice.data, choice.anchors, "pca"), slot="pca")
        if umap or pca:
            show(umap or pca, choice, "UMAP" if umap else "PCA")
    with status:
        rows = len(choice.dataset.labels[choice.dataset.held_out])
        drawn = "UMAP" if umap else "PCA, until UMAP is ready"
        st.caption(
            f"{drawn}, {rows:,} held-out samples. Both relative maps come from one fit, so equal places mean "
            "alike relative vectors. Distances between clusters mean nothing on a UMAP map."
        )


choice = chosen()
with st.container(key="answer"):
    sentence(choice)
maps(choice)
