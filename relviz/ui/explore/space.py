"""The maps in three dimensions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from relviz.data.catalogue import load_dataset
from relviz.plots.space import plot_in_space
from relviz.requests import Layout, Maps
from relviz.ui.asking import Question
from relviz.ui.layout import draw
from relviz.usecases.maps import FourMaps, Map


def show_in_space(asked: Maps, titles: dict[str, str], selected: NDArray[np.bool_]) -> None:
    """Asks for the three leading principal components of every map and draws them."""
    question = Question("space", replace(asked, reduction="pca", layout=Layout(), dimensions=3))
    found: FourMaps | None = question.answer(patience=1.0)
    if found is not None:
        with question.place():
            _draw(asked, found, titles, selected)


def _draw(asked: Maps, found: FourMaps, titles: dict[str, str], selected: NDArray[np.bool_]) -> None:
    data = load_dataset(asked.data)
    maps: list[Map] = [getattr(found, name) for name in titles]
    figure = plot_in_space(
        [one.view.numpy() for one in maps],
        [one.anchors.numpy() for one in maps],
        [f"{title}, keeps {one.kept:.2f}" for title, one in zip(titles.values(), maps, strict=True)],
        codes=None if data.labels is None else data.labels[data.held_out],
        names=data.class_names,
        selected=selected,
        ids=data.ids[data.held_out],
        height=640,
    )
    draw(figure, key="space", alt=f"Three leading principal components of {asked.a} and {asked.b}, four maps")
    st.caption("The three leading principal components by class; diamonds are anchors, what is selected stands out.")
