"""An anchor set in pictures and words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import plotly.graph_objects as go

from relviz.plots.boards import CLEAR
from relviz.plots.palette import MODEL_A, QUIET
from relviz.types import MeasureValue
from relviz.usecases.anchors import AnchorDiagnosis


def plot_influence(
    ids: Sequence[str], values: Sequence[MeasureValue], off: Collection[str], *, height: int
) -> go.Figure:
    """What each anchor adds to the similarity as bars, most first; grey are those that are switched off."""
    known = [(name, value.value) for name, value in zip(ids, values, strict=True) if value.value is not None]
    order = sorted(known, key=lambda pair: pair[1], reverse=True)
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(order) + 1)),
            y=[value for _, value in order],
            customdata=[name for name, _ in order],
            marker={"color": [QUIET if name in off else MODEL_A for name, _ in order], "line": {"width": 0}},
            hovertemplate="anchor %{customdata}: %{y:+.2e}<extra></extra>",
        )
    )
    figure.update_layout(
        title={"text": "Influence of each anchor", "font": {"size": 14}}, height=height, bargap=0.05,
        margin={"l": 4, "r": 4, "t": 34, "b": 4}, **CLEAR,
    )  # fmt: skip
    figure.update_xaxes(title="anchors, by influence", title_standoff=4)
    figure.update_yaxes(title="CKA with it minus without it", title_standoff=4, tickformat="+~g")
    return figure


def anchors_sentence(found: AnchorDiagnosis) -> str:
    """How far the anchors reach and what the two relative spaces have in common."""
    ranks = " and ".join(_rank(space.effective_rank, space.width, space.model) for space in found.spaces)
    reach = " and ".join(f"**{space.coverage:.3f}** in {space.model}" for space in found.spaces)
    told = f"**{len(found.ids)} anchors** span {ranks}; a sample's nearest is {reach} away by cosine, on average."
    similarity = found.similarity
    if similarity is None:
        return told
    if similarity.value is None:
        return f"{told} The relative spaces cannot be compared: {similarity.undefined}."
    return f"{told} Seen through them the spaces have a CKA of **{similarity.value:.3f}** (n = {similarity.n:,})."


def _rank(rank: MeasureValue, width: int, model: str) -> str:
    if rank.value is None:
        return f"no direction of {model} ({rank.undefined})"
    return f"**{rank.value:.1f}** of {width} directions in {model}"
