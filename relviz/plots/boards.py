"""Heat maps of models against models, and accuracy against the number of anchors."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relviz.plots.palette import ANOTHER_METHOD, METHODS, QUIET, SEQUENTIAL
from relviz.service.stitching import CurvePoint

Cell = tuple[float | None, str]  # value or None, and what hovering says

_CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def plot_board(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], *,
    title: str, row_title: str, column_title: str, low: float, high: float, height: int,
) -> go.Figure:  # fmt: skip
    """A heat map with its numbers written in; an undefined cell shows a dash and its reason on hover.

    Parameters
    ----------
    cells: one row of cells per name in `rows`.
    low, high: what the ends of the colour scale mean.
    """
    figure = go.Figure(
        go.Heatmap(
            z=[[value for value, _ in row] for row in cells],
            x=short_names(columns),
            y=short_names(rows),
            text=[[_written(value, crowded=len(columns) > 10) for value, _ in row] for row in cells],
            customdata=[[words for _, words in row] for row in cells],
            texttemplate="%{text}",
            textfont={"size": 10 if len(columns) <= 10 else 9},
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=True,
            colorscale=SEQUENTIAL,
            zmin=low,
            zmax=high,
            xgap=1,
            ygap=1,
            colorbar={"thickness": 8, "len": 0.8},
        )
    )
    for i, row in enumerate(cells):
        for j, (value, _) in enumerate(row):
            if value is None:  # plotly writes no text into a cell without a number
                figure.add_annotation(x=j, y=i, text="–", showarrow=False)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}}, height=height, margin={"l": 4, "r": 4, "t": 34, "b": 4}, **_CLEAR
    )
    figure.update_xaxes(title=column_title, tickangle=-40, showgrid=False, tickfont={"size": 11})
    figure.update_yaxes(title=row_title, autorange="reversed", showgrid=False, tickfont={"size": 11})
    return figure


def short_names(names: Sequence[str]) -> list[str]:
    """Names without the word that they all begin with.

    >>> short_names(["fmnist-cnn-s0", "fmnist-cnn-s1"]), short_names(["cnn-s0", "mlp-s0"]), short_names(["cnn"])
    (['cnn-s0', 'cnn-s1'], ['cnn-s0', 'mlp-s0'], ['cnn'])
    """
    first, _, rest = names[0].partition("-")
    if rest and all(name.startswith(f"{first}-") for name in names):
        return [name.removeprefix(f"{first}-") for name in names]
    return list(names)


def _written(value: float | None, *, crowded: bool) -> str:
    text = "–" if value is None else f"{value:.2f}"
    return text.replace("0.", ".", 1) if crowded and text.startswith(("0.", "-0.")) else text


def plot_curve(points: Sequence[CurvePoint], *, title: str, anchors: int, height: int) -> go.Figure:
    """Stitched accuracy of one pair against the number of anchors, with native accuracy (dashed) and chance (dotted).

    Parameters
    ----------
    anchors: the number chosen now, marked by a vertical line.
    """
    figure = go.Figure()
    counts = [point.anchors for point in points]
    for index, cell in enumerate(points[0].cells):
        colour = METHODS.get(cell.method, ANOTHER_METHOD)
        values = [point.cells[index] for point in points]
        if all(value.accuracy is None for value in values):
            continue
        for kind, dash in (("accuracy", "solid"), ("native", "dash")):
            figure.add_trace(
                go.Scatter(
                    x=counts,
                    y=[getattr(value, kind) for value in values],
                    name=cell.method,
                    showlegend=kind == "accuracy",
                    line={"color": colour, "dash": dash, "width": 2 if kind == "accuracy" else 1},
                    mode="lines+markers" if kind == "accuracy" else "lines",
                    hovertemplate=f"{cell.method}, {kind}: %{{y:.4f}} at %{{x}} anchors<extra></extra>",
                )
            )
    figure.add_hline(y=points[0].cells[0].chance, line_dash="dot", line_color=QUIET, annotation_text="chance")
    figure.add_vline(x=anchors, line_color=QUIET)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}}, height=height, margin={"l": 4, "r": 4, "t": 34, "b": 4},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "font": {"size": 11}}, **_CLEAR,
    )  # fmt: skip
    figure.update_xaxes(
        title="anchors (dashed: native accuracy)",
        type="log",
        tickvals=counts,
        tickangle=0,
        title_standoff=4,
        showgrid=False,
    )
    figure.update_yaxes(title="accuracy", range=[0, 1])
    return figure
