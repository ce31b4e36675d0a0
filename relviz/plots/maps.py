"""The four maps of a pair as one plotly figure."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from relviz.plots.palette import CLASSES, MODEL_A, MODEL_B
from relviz.plots.words import percent
from relviz.service.maps import FourMaps, Map

_GAP = 0.024
_PLACES = {  # name: (left, bottom) of the panel, in halves
    "absolute_a": (0, 1),
    "absolute_b": (1, 1),
    "relative_a": (0, 0),
    "relative_b": (1, 0),
}


def plot_four_maps(
    maps: FourMaps,
    *,
    a: str,
    b: str,
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    first_row: int,
    height: int,
) -> go.Figure:
    """Absolute A and B above, relative A and B below, coloured by class; a legend entry switches its class in all maps.

    Parameters
    ----------
    labels: classes of the mapped samples, in the maps' order.
    first_row: data set row of the first mapped sample, so that hovering can name rows.
    height: of the figure, in pixels.
    """
    figure = go.Figure()
    titles = {"absolute_a": f"Absolute A · {a}", "absolute_b": f"Absolute B · {b}"}
    titles |= {"relative_a": f"Relative A · {a}", "relative_b": f"Relative B · {b}"}
    for panel, (name, place) in enumerate(_PLACES.items(), start=1):
        one: Map = getattr(maps, name)
        colour = MODEL_A if name.endswith("a") else MODEL_B
        _add_points(figure, one, panel, labels, class_names, first_row)
        _add_axes(figure, panel, place, colour)
        _add_title(figure, place, f"{titles[name]} · keeps {percent(one.kept)} (chance {percent(one.chance)})")
    _share_axes(figure, maps)
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 4, "t": 22, "b": 30, "pad": 0},
        legend={"itemsizing": "constant", "orientation": "h", "y": -0.01, "yanchor": "top", "font": {"size": 11}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _add_points(
    figure: go.Figure, one: Map, panel: int, labels: NDArray[np.int64], class_names: tuple[str, ...], first_row: int
) -> None:
    view = one.view.numpy().astype(np.float32)
    for label, class_name in enumerate(class_names):
        rows = np.flatnonzero(labels == label)
        figure.add_trace(
            go.Scattergl(
                x=view[rows, 0],
                y=view[rows, 1],
                customdata=rows + first_row,
                mode="markers",
                marker={"size": 3.5, "color": CLASSES[label % len(CLASSES)], "opacity": 0.8},
                name=class_name,
                legendgroup=class_name,
                showlegend=panel == 1,
                xaxis=f"x{panel}",
                yaxis=f"y{panel}",
                hovertemplate=f"{class_name}, row %{{customdata}}<extra></extra>",
            )
        )


def _add_axes(figure: go.Figure, panel: int, place: tuple[int, int], colour: str) -> None:
    width, height = (1 - _GAP) / 2, (1 - 2 * _GAP) / 2
    left, bottom = place[0] * (width + _GAP), place[1] * (height + 2 * _GAP)
    frame = {
        "showgrid": False,
        "zeroline": False,
        "showticklabels": False,
        "ticks": "",
        "title": "",
        "mirror": True,
        "automargin": False,
    }
    line = {"showline": True, "linecolor": colour, "linewidth": 1.5}
    figure.update_layout(
        {
            f"xaxis{panel}": {**frame, **line, "domain": [left, left + width], "anchor": f"y{panel}"},
            f"yaxis{panel}": {**frame, **line, "domain": [bottom, bottom + height], "anchor": f"x{panel}"},
        }
    )


def _add_title(figure: go.Figure, place: tuple[int, int], text: str) -> None:
    figure.add_annotation(
        text=text,
        x=place[0] * (0.5 + _GAP / 2),
        y=1 if place[1] else (1 - 2 * _GAP) / 2,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12},
    )


def _share_axes(figure: go.Figure, maps: FourMaps) -> None:
    """Both relative maps come from one fit, so they show the same window: equal places mean equal vectors."""
    both = np.concatenate([maps.relative_a.view.numpy(), maps.relative_b.view.numpy()])
    low, high = both.min(0), both.max(0)
    pad = 0.03 * (high - low)
    for panel in (3, 4):
        figure.update_layout({f"xaxis{panel}": {"range": [low[0] - pad[0], high[0] + pad[0]]}})
        figure.update_layout({f"yaxis{panel}": {"range": [low[1] - pad[1], high[1] + pad[1]]}})
