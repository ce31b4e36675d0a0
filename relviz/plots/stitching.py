"""Stitching methods side by side: against the number of anchors, and as dots with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from relviz.core.stitching import METHODS
from relviz.plots.boards import CLEAR
from relviz.plots.palette import FAMILIES, MODEL_A, MODEL_B, QUIET
from relviz.usecases.stitching import METRICS, SeededCell, Spread, StitchedCell


def plot_curve(
    points: Mapping[int, Sequence[StitchedCell]], *, method: str, metric: str, title: str, anchors: int, height: int
) -> go.Figure:
    """Every method of one pair against the number of anchors, native (dashed) and chance (dotted), a control's band.

    Parameters
    ----------
    points: cells of one encoder and head by number of anchors; not all need be of the same methods.
    method: drawn strongly, with its native value.
    metric: a key of `METRICS`.
    anchors: the number chosen now, marked by a vertical line.
    """
    lines: dict[str, dict[int, StitchedCell]] = {}
    for count in sorted(points):
        for cell in points[count]:
            lines.setdefault(cell.method, {})[count] = cell
    figure = go.Figure()
    for family in FAMILIES:  # what is empty stands for its family in the legend, whichever method is chosen
        if any(METHODS[name].family == family for name in lines):
            figure.add_scatter(
                x=[None], y=[None], name=family, legendgroup=family, mode="lines", line_color=FAMILIES[family]
            )
    for name in sorted(lines, key=lambda name: name == method):  # the chosen one above the others
        _add_band(figure, name, lines[name], metric)
        _add_line(figure, name, lines[name], metric, chosen=name == method)
    chance = next(iter(points.values()))[0].values(metric)[2]
    figure.add_hline(y=chance, line_dash="dot", line_color=QUIET, annotation_text="chance")
    figure.add_vline(x=anchors, line_color=QUIET)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}}, height=height, margin={"l": 4, "r": 4, "t": 34, "b": 4},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "font": {"size": 11}, "itemwidth": 30},
        hoverlabel={"namelength": -1}, uirevision="curve", **CLEAR,
    )  # fmt: skip
    counts = sorted(points)
    ticks = [count for count in counts if count != anchors]
    figure.update_xaxes(title="anchors", type="log", tickvals=ticks, tickangle=0, title_standoff=4, showgrid=False)
    figure.update_yaxes(title=METRICS[metric], range=[0, 1.02])
    return figure


def _add_line(figure: go.Figure, name: str, cells: Mapping[int, StitchedCell], metric: str, *, chosen: bool) -> None:
    """One method's values, and of the chosen one the native values; nothing where all are undefined."""
    family = METHODS[name].family
    values = [cell.values(metric) for cell in cells.values()]
    for kind, place in (("stitched", 0), ("native", 1)):
        found = [value[place] for value in values]
        if all(value is None for value in found) or (kind == "native" and not chosen):
            continue
        figure.add_scatter(
            x=list(cells),
            y=found,
            name=f"{name}, {kind}",
            legendgroup="chosen" if chosen else family,
            showlegend=chosen,
            mode="lines+markers" if kind == "stitched" and chosen else "lines",
            opacity=1 if chosen else 0.55,
            line={
                "color": FAMILIES[family],
                "dash": "dash" if kind == "native" else "solid",
                "width": 3 if chosen and kind == "stitched" else 1.3,
            },
            hovertemplate=f"{name}, {kind}: %{{y:.4f}} at %{{x}} anchors<extra></extra>",
        )


def _add_band(figure: go.Figure, name: str, cells: Mapping[int, StitchedCell], metric: str) -> None:
    """Where 95 % of a control's shuffles lie; nothing for methods without chance."""
    bands = {count: band for count, cell in cells.items() if (band := cell.band(metric)) is not None}
    if not bands:
        return
    lows, highs = zip(*bands.values(), strict=True)
    figure.add_scatter(
        x=[*bands, *reversed(bands)],
        y=[*lows, *reversed(highs)],
        name=f"{name}, 95 % of shuffles",
        legendgroup=METHODS[name].family,
        showlegend=False,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=FAMILIES[METHODS[name].family],
        opacity=0.2,
        hoverinfo="skip",
    )


def plot_methods(cells: Sequence[SeededCell], a: str, b: str, *, metric: str, height: int) -> go.Figure:
    """Every method as a dot for each direction, with its interval; native values hollow, chance dotted.

    Parameters
    ----------
    cells: of one pair and one method each; own cells and undefined ones are left out.
    """
    names = list(dict.fromkeys(cell.method for cell in cells))
    figure = go.Figure()
    for encoder, head, colour, shift in ((a, b, MODEL_A, 0.16), (b, a, MODEL_B, -0.16)):
        found = {cell.method: cell for cell in cells if (cell.encoder, cell.head) == (encoder, head)}
        places = {name: place + shift for place, name in enumerate(reversed(names))}
        for kind in ("native", "stitched"):
            known = [(name, spread) for name in names if name in found and (spread := getattr(found[name], kind))]
            _add_dots(figure, known, places, kind, f"{encoder} read by {head}", colour)
        if a == b:
            break
    figure.add_vline(x=cells[0].chance, line_dash="dot", line_color=QUIET, annotation_text="chance")
    figure.update_layout(
        height=height, margin={"l": 4, "r": 4, "t": 26, "b": 4}, hoverlabel={"namelength": -1},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "font": {"size": 11}}, **CLEAR,
    )  # fmt: skip
    figure.update_xaxes(title=METRICS[metric], range=[-0.02, 1.02], title_standoff=4)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(reversed(names)), tickfont={"size": 11}, showgrid=True,
        range=[-0.7, len(names) - 0.3],
    )  # fmt: skip
    return figure


def _add_dots(
    figure: go.Figure,
    known: Sequence[tuple[str, Spread]],
    places: Mapping[str, float],
    kind: str,
    pair: str,
    colour: str,
) -> None:
    spreads = [spread for _, spread in known]
    figure.add_scatter(
        x=[spread.mean for spread in spreads],
        y=[places[name] for name, _ in known],
        error_x={
            "array": [spread.high - spread.mean for spread in spreads],
            "arrayminus": [spread.mean - spread.low for spread in spreads],
            "symmetric": False,
            "thickness": 1.5,
            "width": 3,
        },
        mode="markers",
        name=f"{pair}, {kind}",
        marker={"color": colour, "size": 8, "symbol": "circle-open" if kind == "native" else "circle"},
        customdata=[[name, spread.low, spread.high] for name, spread in known],
        hovertemplate=f"%{{customdata[0]}}, {pair}, {kind}: %{{x:.4f}} "
        "(%{customdata[1]:.4f} to %{customdata[2]:.4f})<extra></extra>",
    )
