"""Figures and sentences about paired data sets."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relviz.plots.boards import Cell
from relviz.plots.palette import MODEL_A, MODEL_B, QUIET
from relviz.plots.words import number, percent
from relviz.usecases.paired import Found, Retrieval


def plot_ways(found: Retrieval, *, there: str, back: str, height: int) -> go.Figure:
    """Mean reciprocal rank of the partners by every way, in both directions, with what a random order gives (dotted).

    Parameters
    ----------
    there, back: what to call the directions.
    """
    bars = [
        go.Bar(
            name=name,
            x=[one.mrr for one in ways],
            y=[one.way for one in ways],
            orientation="h",
            marker_color=colour,
            text=["" if one.mrr is None else number(one.mrr) for one in ways],
            textposition="outside",
            cliponaxis=False,
            customdata=[found_words(one) for one in ways],
            hovertemplate="%{customdata}<extra></extra>",
        )
        for name, ways, colour in ((there, found.there, MODEL_A), (back, found.back, MODEL_B))
    ]
    figure = go.Figure(bars)
    for one in found.there:
        if one.mrr is None:  # plotly writes no text beside a bar without a number
            figure.add_annotation(x=0.02, y=one.way, text="undefined", xanchor="left", showarrow=False)
    figure.add_vline(x=found.there[0].chance, line_dash="dot", line_color=QUIET)
    figure.update_layout(
        title={"text": "Mean reciprocal rank of the partner (dotted: a random order)", "font": {"size": 14}},
        height=height, margin={"l": 4, "r": 40, "t": 34, "b": 4}, barmode="group", bargap=0.25,
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "font": {"size": 11}, "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def found_words(found: Found) -> str:
    """What a way gives, or why it gives nothing."""
    if found.mrr is None or found.recall_1 is None or found.recall_10 is None or found.own is None:
        return f"{found.way}: undefined, {found.undefined}"
    return (
        f"{found.way}: MRR {number(found.mrr)} (chance {number(found.chance)}, B among itself {number(found.own)}), "
        f"Recall@1 {number(found.recall_1)}, Recall@10 {number(found.recall_10)}, n = {found.n:,}"
    )


def board_cell(found: Found, pair: str) -> Cell:
    """A cell of the board and what hovering says."""
    return found.mrr, f"{pair}, {found_words(found)}"


def ways_sentence(found: Retrieval, anchors: int) -> str:
    """How often A's samples find their partners through the anchors and without them."""
    ways = {one.way: one for one in found.there}
    absolute, relative = ways["absolute"], ways["relative"]
    if relative.recall_1 is None or relative.recall_10 is None:
        return f"Partners cannot be looked for through anchors: {relative.undefined}."
    without = f"undefined: {absolute.undefined}" if absolute.recall_1 is None else percent(absolute.recall_1)
    through = [one for one in found.there if one is not absolute and one.recall_1 is not None]
    best = max(through, key=lambda one: one.recall_1 or 0.0)
    more = "" if best.recall_1 == relative.recall_1 else f" Best by **{best.way}**: {percent(best.recall_1 or 0.0)}."
    return (
        f"Read through **{anchors} parallel anchors**, **{percent(relative.recall_1)}** of A's samples find their "
        f"partner in B first, {percent(relative.recall_10)} among the first 10 (chance {percent(1 / relative.n)} and "
        f"{percent(min(1.0, 10 / relative.n))}, {relative.n:,} held-out pairs); without anchors {without}.{more}"
    )


def board_sentence(cells: Sequence[Sequence[Found]], sets: Sequence[str]) -> str:
    """Between which different sets partners are found best and worst."""
    values = [
        (found.mrr, a, b)
        for row, a in zip(cells, sets, strict=True)
        for found, b in zip(row, sets, strict=True)
        if a != b and found.mrr is not None
    ]
    if not values:
        return f"By this way partners can be found between none of these {len(sets)} data sets."
    (low, a, b), (high, c, d) = min(values), max(values)
    mean = sum(value for value, _, _ in values) / len(values)
    return (
        f"Between different sets the mean reciprocal rank is **{number(mean)}** on average, highest from **{c}** to "
        f"**{d}** ({number(high)}) and lowest from **{a}** to **{b}** ({number(low)})."
    )
