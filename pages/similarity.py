"""Similarity: every measure between every two models of the shelf."""

import pandas as pd
import streamlit as st

from relviz.core.measures import MEASURES, Measure
from relviz.plots.boards import Cell, plot_board
from relviz.plots.words import board_sentence, sureness_sentence
from relviz.service.compare import SimilarityBoard
from relviz.service.requests import Compare, Similarity
from relviz.types import MeasureValue
from relviz.ui.asking import Question
from relviz.ui.controls import chosen
from relviz.ui.layout import draw


def cell(value: MeasureValue, pair: str) -> Cell:
    if value.value is None:
        return None, f"{pair}: undefined, {value.undefined}"
    chance = "" if value.chance is None else f", chance {value.chance:.4f}"
    return value.value, f"{pair}: {value.value:.6f}, n = {value.n}{chance}"


def heat_map(board: SimilarityBoard, cells: list[list[MeasureValue]], measure: Measure, kind: str) -> None:
    names = board.models
    low, high = (max(0.0, measure.low), measure.high)
    figure = plot_board(
        names,
        names,
        [[cell(cells[i][j], f"{a} to {b}") for j, b in enumerate(names)] for i, a in enumerate(names)],
        title=kind,
        row_title="from",
        column_title="to",
        low=low,
        high=high,
        height=520,
    )
    draw(figure, key=f"board-{kind}", alt=f"{measure.label} between {len(names)} models, {kind} spaces")


def table(board: SimilarityBoard) -> pd.DataFrame:
    return pd.DataFrame(
        {"from": a, "to": b, "space": kind, **vars(cells[i][j])}
        for kind, cells in (("absolute", board.absolute), ("relative", board.relative))
        for i, a in enumerate(board.models)
        for j, b in enumerate(board.models)
    )


DRAWS = 100  # resamplings; fewer leave the ends of a 95 % band unsteady

choice = chosen()
name = st.selectbox(
    "Measure",
    list(MEASURES),
    format_func=lambda name: MEASURES[name].label.format(k="k"),  # also in the address, so without a number
    key="measure",
    bind="query-params",
)
measure = MEASURES[name]
question = Question("similarity", Similarity(name, choice.data, choice.anchors, choice.k))
board = question.answer()
if board is not None:
    with question.place():
        st.markdown(board_sentence(board, measure.label.format(k=choice.k)))
        left, right = st.columns(2)
        with left:
            heat_map(board, board.absolute, measure, "Absolute")
        with right:
            heat_map(board, board.relative, measure, f"Relative, {choice.anchors.count} anchors")
        with st.expander("Table"):
            st.dataframe(table(board), hide_index=True)
        with st.expander("What is measured"):
            st.markdown(
                f"**{measure.label.format(k=choice.k)}**: {measure.summary}; {measure.low:g} to {measure.high:g}. "
                f"Unchanged by: {', '.join(sorted(measure.invariances)) or 'nothing'}. Source: {measure.source}."
            )
sure = st.toggle(
    f"How sure, from {choice.a} to {choice.b}",
    key="sure",
    bind="query-params",
    help=f"Null band of {DRAWS} permutations and interval of {DRAWS} subsets; seconds for most measures.",
)
if sure:
    pair = (choice.a, choice.b, choice.data, choice.anchors, choice.k)
    resampled = Question("sure", Compare(*pair, measures=(name,), draws=DRAWS))
    compared = resampled.answer()
    if compared is not None:
        with resampled.place():
            st.markdown(sureness_sentence(compared, name, measure.label.format(k=choice.k)))
