"""Stitching: which encoder can drive which head."""

import pandas as pd
import streamlit as st

from relviz.core.stitching_methods import METHODS
from relviz.models.catalogue import names_for
from relviz.plots.boards import Cell, plot_board, plot_curve
from relviz.plots.words import find, stitch_sentence
from relviz.service.requests import DEFAULT_METHODS, Curve, Stitch
from relviz.service.stitching import CurvePoint, StitchedCell
from relviz.ui.asking import Question
from relviz.ui.controls import Choice, chosen
from relviz.ui.layout import draw


def cell(found: StitchedCell) -> Cell:
    pair = f"encoder {found.encoder}, head {found.head}"
    if found.accuracy is None:
        return None, f"{pair}: undefined, {found.undefined}"
    return (
        found.accuracy,
        f"{pair}: {found.accuracy:.4f}, native {found.native:.4f}, chance {found.chance:.4f}, n = {found.n}",
    )


def board(cells: list[StitchedCell], names: tuple[str, ...], method: str) -> None:
    figure = plot_board(
        names,
        names,
        [[cell(find(cells, encoder, head, method)) for head in names] for encoder in names],
        title="Stitched accuracy; on the diagonal native accuracy",
        row_title="encoder",
        column_title="head",
        low=0,
        high=1,
        height=430,
    )
    draw(figure, key="board", alt=f"Stitched accuracy of {len(names)} encoders with {len(names)} heads by {method}")


def curve(points: list[CurvePoint], encoder: str, head: str, choice: Choice, key: str) -> None:
    figure = plot_curve(points, title=f"{encoder} read by the head of {head}", anchors=choice.anchors.count, height=330)
    draw(figure, key=key, alt=f"Stitched accuracy of {encoder} with the head of {head} against the number of anchors")


choice = chosen()
method = st.selectbox(
    "Way of communication",
    list(METHODS),
    index=list(METHODS).index("relative-cosine"),
    key="method",
    bind="query-params",
)
names = tuple(names_for(choice.dataset, decoding=False))
answer = st.empty()
left, right = st.columns([5, 4])
with left:
    all_pairs = Question("board", Stitch(names, choice.data, choice.anchors, (method,)))
with right:
    directions = {"curve-there": (choice.a, choice.b), "curve-back": (choice.b, choice.a)}
    drawn = tuple(dict.fromkeys((*DEFAULT_METHODS, method)))
    curves = {key: Question(key, Curve(*pair, choice.data, choice.anchors, drawn)) for key, pair in directions.items()}

cells = all_pairs.answer()
if cells is None:
    answer.empty()
else:
    answer.markdown(stitch_sentence(cells, method))
    with all_pairs.place():
        board(cells, names, method)
        with st.expander("Table"):
            st.dataframe(pd.DataFrame(vars(found) for found in cells), hide_index=True)
for key, question in curves.items():
    points = question.answer()
    if points is not None:
        with question.place():
            curve(points, *directions[key], choice, key)
with st.expander("How it is done"):
    for name in drawn:
        st.markdown(f"**{name}**: {METHODS[name].summary}. Source: {METHODS[name].source}.")
