"""One pair on Stitching: its curve against the number of anchors, and every method beside every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from relviz.core.stitching import CLOSED_FORM, METHODS
from relviz.plots.stitching import plot_curve, plot_methods
from relviz.requests import Anchors, Request, Stitch
from relviz.ui.controls import Choice
from relviz.ui.layout import draw
from relviz.usecases.stitching import METRICS, StitchedCell, curve_counts, over_seeds, seeded

SLOW = tuple(name for name, method in METHODS.items() if method.slow)


def curve_requests(choice: Choice, slow: Sequence[str]) -> dict[str, Request]:
    """One request for each number of anchors, the chosen one first; each slow method's are requests of their own."""
    counts = {"chosen": choice.anchors.count, **{str(count): count for count in curve_counts(choice.dataset)}}
    return {
        f"{where}, {name}": _pair(choice, replace(choice.anchors, count=count), methods)
        for name, methods in {"closed form": CLOSED_FORM, **{name: (name,) for name in slow}}.items()
        for where, count in counts.items()
    }


def method_requests(choice: Choice, seeds: int) -> dict[str, Request]:
    """One request for each anchor set with the methods in closed form, then one for each slow method."""
    sets = list(enumerate(seeded(choice.anchors, seeds)))
    return {
        f"{name}, set {place}": _pair(choice, anchors, methods)
        for name, methods in {"closed form": CLOSED_FORM, **{name: (name,) for name in SLOW}}.items()
        for place, anchors in sets
    }


def show_curve(answers: Mapping[Stitch, Any], *, pair: tuple[str, str], method: str, metric: str, anchors: int) -> None:
    """The points that are there."""
    if not answers:
        return
    points: dict[int, list[StitchedCell]] = {}
    for request, cells in answers.items():
        found = [cell for cell in cells if (cell.encoder, cell.head) == pair]
        points.setdefault(request.anchors.count, []).extend(found)
    encoder, head = pair
    title = f"{encoder} read by the head of {head}"
    figure = plot_curve(points, method=method, metric=metric, title=title, anchors=anchors, height=430)
    alt = f"Stitched {METRICS[metric]} of {encoder} with the head of {head} against the number of anchors"
    draw(figure, key="curve", alt=alt)


def show_methods(answers: Mapping[Request, Any], *, choice: Choice, metric: str) -> None:
    """Every method of the pair, as far as it is there, in the order of the registry."""
    if not answers:
        return
    order = list(METHODS)
    cells = sorted(over_seeds(answers.values(), metric), key=lambda cell: order.index(cell.method))
    names = {cell.method for cell in cells}
    figure = plot_methods(cells, choice.a, choice.b, metric=metric, height=80 + 20 * len(names))
    draw(figure, key="methods", alt=f"{len(names)} stitching methods between {choice.a} and {choice.b}")
    st.caption(
        "Dots are means over the anchor sets, bars go from the lowest to the highest; hollow: the same head on its own "
        "encoder. The negative control is relative-cosine with the encoder's anchors in another order, the mean over "
        "many shuffles; its bar holds 95 % of them."
    )
    st.dataframe(pd.DataFrame(cell.row() for cell in cells), hide_index=True)


def _pair(choice: Choice, anchors: Anchors, methods: tuple[str, ...]) -> Stitch:
    models = tuple(dict.fromkeys((choice.a, choice.b)))
    return Stitch(models, choice.data, anchors, methods, own=len(models) == 1)
