"""Figures of the papers' experiments, as JSON: lines, dots and bars in the colours of the methods."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from relviz.plots.palette import CLASSES

Points = tuple[Sequence[float], Sequence[float]]


def lines(found: Mapping[str, Points], *, x: str, y: str, log: bool = False, log_y: bool = False) -> dict[str, Any]:
    """One line per name."""
    return _figure(
        [
            go.Scatter(x=list(a), y=list(b), name=name, mode="lines+markers", line={"color": colour})
            for (name, (a, b)), colour in zip(found.items(), _colours(len(found)), strict=True)
        ],
        x=x,
        y=y,
        log=log,
        log_y=log_y,
    )


def dots(found: Mapping[str, Points], *, x: str, y: str) -> dict[str, Any]:
    """One cloud of dots per name."""
    return _figure(
        [
            go.Scatter(x=list(a), y=list(b), name=name, mode="markers", marker={"color": colour})
            for (name, (a, b)), colour in zip(found.items(), _colours(len(found)), strict=True)
        ],
        x=x,
        y=y,
    )


def bars(found: Mapping[str, Mapping[str, float]], *, y: str, log_y: bool = False) -> dict[str, Any]:
    """One group of bars per inner name, one colour per outer name."""
    return _figure(
        [
            go.Bar(x=list(heights), y=list(heights.values()), name=name, marker={"color": colour})
            for (name, heights), colour in zip(found.items(), _colours(len(found)), strict=True)
        ],
        x="",
        y=y,
        log_y=log_y,
    )


def drawn(figure: dict[str, Any]) -> go.Figure:
    """The figure of a report."""
    return go.Figure(figure)


def _colours(count: int) -> list[str]:
    return [CLASSES[i % len(CLASSES)] for i in range(count)]


def _figure(traces: list[Any], *, x: str, y: str, log: bool = False, log_y: bool = False) -> dict[str, Any]:
    figure = go.Figure(traces, {"template": {}, "margin": {"l": 4, "r": 4, "t": 40, "b": 4}, "height": 380})
    figure.update_xaxes(title=x, type="log" if log else None, automargin=True)
    figure.update_yaxes(title=y, type="log" if log_y else None, automargin=True)
    return json.loads(figure.to_json())
