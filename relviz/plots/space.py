"""Four views of three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from relviz.plots.palette import CLASSES, MODEL_A, QUIET

_DOMAINS = (((0, 0.49), (0.52, 1)), ((0.51, 1), (0.52, 1)), ((0, 0.49), (0, 0.48)), ((0.51, 1), (0, 0.48)))
_BARE = {"showticklabels": False, "title": "", "showspikes": False, "showbackground": False, "gridcolor": QUIET}


def plot_in_space(
    views: Sequence[NDArray[np.floating]],
    anchors: Sequence[NDArray[np.floating]],
    titles: Sequence[str],
    *,
    codes: NDArray[np.integer] | None,
    names: Sequence[str],
    selected: NDArray[np.bool_],
    ids: Sequence[str],
    height: int,
) -> go.Figure:
    """Absolute A and B above, relative A and B below in one window, coloured by class.

    Parameters
    ----------
    views: four of `n x 3`.
    anchors: four of `k x 3`, drawn as diamonds.
    codes: positions in `names`; None where there are no classes.
    selected: what stands out, if anything is selected.
    """
    figure = go.Figure()
    colours = [MODEL_A] * len(ids) if codes is None else [CLASSES[code % len(CLASSES)] for code in codes]
    words = [f"sample {one}" if codes is None else f"{names[codes[at]]}, sample {one}" for at, one in enumerate(ids)]
    layers = [(selected, 3, 1.0), (~selected, 2, 0.15)] if selected.any() else [(~selected, 2.5, 0.8)]
    for pane, (view, marks) in enumerate(zip(views, anchors, strict=True), start=1):
        figure.add_trace(
            go.Scatter3d(
                x=marks[:, 0], y=marks[:, 1], z=marks[:, 2], mode="markers", scene=f"scene{pane}", hoverinfo="skip",
                marker={"size": 2.5, "opacity": 0.75, "color": QUIET, "symbol": "diamond-open"}, showlegend=False,
            )
        )  # fmt: skip
        for rows, size, opacity in layers:
            figure.add_trace(
                go.Scatter3d(
                    x=view[rows, 0], y=view[rows, 1], z=view[rows, 2], mode="markers", scene=f"scene{pane}",
                    marker={"size": size, "opacity": opacity, "color": np.asarray(colours)[rows]},
                    customdata=np.asarray(words)[rows], hovertemplate="%{customdata}<extra></extra>", showlegend=False,
                )
            )  # fmt: skip
    both = np.concatenate(views[2:])
    shared = [{**_BARE, "range": ends} for ends in zip(both.min(0).tolist(), both.max(0).tolist(), strict=True)]
    for pane, ((left, right), (bottom, top)) in enumerate(_DOMAINS, start=1):
        axes = shared if pane > 2 else [_BARE] * 3
        scene = dict(zip(("xaxis", "yaxis", "zaxis"), axes, strict=True))
        figure.update_layout({f"scene{pane}": {**scene, "domain": {"x": [left, right], "y": [bottom, top]}}})
        figure.add_annotation(
            text=titles[pane - 1], x=left, y=top, xref="paper", yref="paper", xanchor="left", yanchor="top",
            showarrow=False, font={"size": 12},
        )  # fmt: skip
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, paper_bgcolor="rgba(0,0,0,0)")
    return figure
