"""How one sample is related to its nearest anchors in two models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from relviz.plots.boards import shortened
from relviz.plots.palette import MODEL_A, MODEL_B

_CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def plot_profile(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    *,
    names: Sequence[str],
    pictures: Sequence[str | None],
    title: str,
    height: int,
) -> go.Figure:
    """A pair of bars for each anchor, model A's and model B's, over the anchor's picture or else its name.

    Parameters
    ----------
    pictures: addresses of the anchors' images; none where they are no images.
    """
    places = list(range(len(names)))
    figure = go.Figure(
        [
            go.Bar(
                x=places,
                y=values,
                name=model,
                marker={"color": colour},
                customdata=list(names),
                hovertemplate=f"{model}, anchor %{{customdata}}: %{{y:.3f}}<extra></extra>",
            )
            for model, values, colour in (("A", a, MODEL_A), ("B", b, MODEL_B))
        ]
    )
    pictured = [(place, picture) for place, picture in enumerate(pictures) if picture is not None]
    for place, picture in pictured:
        figure.add_layout_image(
            source=picture, x=place, y=-0.02, xref="x", yref="paper", sizex=0.9, sizey=0.14, xanchor="center",
            yanchor="top",
        )  # fmt: skip
    figure.update_layout(
        title={"text": title, "font": {"size": 14}},
        height=height,
        margin={"l": 4, "r": 4, "t": 56, "b": 52},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        bargap=0.25,
        **_CLEAR,
    )
    figure.update_xaxes(
        tickvals=places,
        ticktext=[shortened(name, 16) for name in names],
        showticklabels=not pictured,
        showgrid=False,
        zeroline=False,
    )
    return figure
