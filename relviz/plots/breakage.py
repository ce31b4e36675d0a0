"""What breaks when stitched: gaps by class, and confidence beside accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relviz.core.stitching.breakage import Reliability
from relviz.plots.boards import CLEAR, cut
from relviz.plots.palette import MODEL_A, MODEL_B, QUIET


def plot_gaps(names: Sequence[str], native: Sequence[float], stitched: Sequence[float], *, height: int) -> go.Figure:
    """Native minus stitched accuracy of each class as bars, in the order of the classes; above 0 stitching loses."""
    figure = go.Figure(
        go.Bar(
            x=[before - after for before, after in zip(native, stitched, strict=True)],
            y=cut(names),
            orientation="h",
            marker={"color": MODEL_B},
            customdata=list(zip(names, native, stitched, strict=True)),
            hovertemplate="%{customdata[0]}: native %{customdata[1]:.4f}, stitched %{customdata[2]:.4f}<extra></extra>",
        )
    )
    figure.update_layout(
        title={"text": "Accuracy lost in each class", "font": {"size": 14}}, height=height,
        margin={"l": 4, "r": 4, "t": 34, "b": 4}, **CLEAR,
    )  # fmt: skip
    figure.update_xaxes(title="native minus stitched accuracy", title_standoff=4)
    figure.update_yaxes(autorange="reversed", type="category", tickmode="linear", tickfont={"size": 11})
    return figure


def plot_reliability(native: Reliability, stitched: Reliability, *, height: int) -> go.Figure:
    """Accuracy against confidence, native beside stitched; on the diagonal confidence is what it says."""
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "dash": "dot"}, name="calibrated")
    )
    for name, found, colour in (("native", native, MODEL_A), ("stitched", stitched, MODEL_B)):
        full = [at for at, count in enumerate(found.counts.tolist()) if count]
        figure.add_scatter(
            x=found.confidence[full].tolist(),
            y=found.accuracy[full].tolist(),
            customdata=found.counts[full].tolist(),
            mode="lines+markers",
            name=f"{name}, error {found.error:.3f}",
            line={"color": colour},
            hovertemplate=f"{name}: confidence %{{x:.3f}}, accuracy %{{y:.3f}}, %{{customdata}} samples<extra></extra>",
        )
    figure.update_layout(
        title={"text": "Confidence and accuracy", "font": {"size": 14}}, height=height,
        margin={"l": 4, "r": 4, "t": 34, "b": 4},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "font": {"size": 11}}, **CLEAR,
    )  # fmt: skip
    figure.update_xaxes(title="confidence", range=[0, 1.02], title_standoff=4)
    figure.update_yaxes(title="accuracy", range=[0, 1.02])
    return figure
