"""Accuracy or error against the factor that latent vectors were multiplied by."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relviz.plots.palette import QUIET
from relviz.usecases.reconstruction import ScaleCurve

_CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def plot_scale(curves: Sequence[tuple[ScaleCurve, str]], *, title: str, height: int) -> go.Figure:
    """Curves of one kind with their colours, and a dotted line for what comes of not looking at the sample."""
    first = curves[0][0]
    measured = "mean squared error" if first.decodes else "accuracy"
    figure = go.Figure(
        [
            go.Scatter(
                x=curve.factors,
                y=curve.values,
                name=curve.model,
                line={"color": colour},
                mode="lines+markers",
                hovertemplate=f"{curve.model}, times %{{x}}: {measured} %{{y:.4f}}<extra></extra>",
            )
            for curve, colour in curves
        ]
    )
    words = "mean image" if first.decodes else "chance"
    figure.add_hline(y=first.blind, line_dash="dot", line_color=QUIET, annotation_text=words)
    figure.add_vline(x=1, line_color=QUIET)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}}, height=height, margin={"l": 4, "r": 4, "t": 34, "b": 4},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "font": {"size": 11}}, showlegend=True, **_CLEAR,
    )  # fmt: skip
    figure.update_xaxes(
        title="factor", type="log", tickvals=first.factors, ticktext=[f"{f:g}" for f in first.factors], showgrid=False
    )
    figure.update_yaxes(title=measured, **({"rangemode": "tozero"} if first.decodes else {"range": [0, 1]}))
    return figure
