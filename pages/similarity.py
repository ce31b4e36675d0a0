"""Similarity: every measure between every two models of the shelf."""

import pandas as pd
import streamlit as st

from relviz.core.measures import MEASURES
from relviz.plots.boards import Cell, plot_board
from relviz.plots.words import board_sentence
from relviz.service.compare import Measured, SimilarityBoard
from relviz.service.requests import Similarity
from relviz.types import MeasureValue
from relviz.ui.asking import Question
from relviz.ui.controls import chosen
from relviz.ui.layout import draw


def cell(value: MeasureValue, pair: str) -> Cell:
    if value.value is None:
        return None, f"{pair}: undefined, {value.undefined}"
    chance = "" if value.chance is None else f", chance {value.chance:.4f}"
    return value.value, f"{pair}: {value.value:.6f}, n = {value.n}{chance}"


def heat_map(board: SimilarityBoard, cells: list[list[Measured]], measure: str, kind: str) -> None:
    names = board.models
    figure = plot_board(
        names,
        names,
        [[cell(cells[i][j][measure], f"{a} to {b}") for j, b in enumerate(names)] for i, a in enumerate(names)],
        title=kind,
        row_title="from",
        column_title="to",
        low=max(0, MEASURES[measure].low),
        high=MEASURES[measure].high,
        height=520,
    )
    draw(figure, key=f"board-{kind}", alt=f"{measure} between {len(names)} models, {kind} spaces")


def table(board: SimilarityBoard, label: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"from": a, "to": b, "space": kind, **{label[name]: value.value for name, value in cells[i][j].items()}}
        for kind, cells in (("absolute", board.absolute), ("relative", board.relative))
        for i, a in enumerate(board.models)
        for j, b in enumerate(board.models)
    )


choice = chosen()
labels = {name: measure.label.format(k=choice.k) for name, measure in MEASURES.items()}
measure = st.segmented_control(
    "Measure",
    list(MEASURES),
    format_func=lambda name: MEASURES[name].label.format(k="k"),  # also in the URL, so without a number
    default="cka",
    key="measure",
    required=True,
    bind="query-params",
)
question = Question("similarity", Similarity(choice.data, choice.anchors, choice.k))
board = question.answer()
if board is not None:
    with question.place():
        st.markdown(board_sentence(board, measure, labels[measure]))
        left, right = st.columns(2)
        with left:
            heat_map(board, board.absolute, measure, "Absolute")
        with right:
            heat_map(board, board.relative, measure, f"Relative, {choice.anchors.count} anchors")
        with st.expander("Table"):
            st.dataframe(table(board, labels), hide_index=True)
        with st.expander("What is measured"):
            for name, entry in MEASURES.items():
                st.markdown(
                    f"**{labels[name]}**: {entry.summary}; {entry.low:g} to {entry.high:g}. Source: {entry.source}."
                )
