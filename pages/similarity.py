"""Similarity: every measure between every two models of the shelf, and between the layers of two."""

import pandas as pd
import streamlit as st

from relviz.core.measures import MEASURES, Measure
from relviz.models.catalogue import names_for
from relviz.models.nodes import MOST_LAYERS
from relviz.plots.boards import Cell, plot_board
from relviz.plots.words import board_sentence, layers_sentence, sureness_sentence
from relviz.requests import Compare, Layers, Similarity
from relviz.types import MeasureValue
from relviz.ui.asking import Question
from relviz.ui.controls import Choice, chosen
from relviz.ui.layout import draw
from relviz.ui.notes import show_notes
from relviz.usecases.compare import LayerBoard, SimilarityBoard


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


def show_models(choice: Choice, name: str) -> None:
    measure, label = MEASURES[name], MEASURES[name].label.format(k=choice.k)
    question = Question("similarity", Similarity(name, choice.data, choice.anchors, choice.k))
    board = question.answer()
    if board is not None:
        with question.place():
            st.markdown(board_sentence(board, label))
            left, right = st.columns(2)
            with left:
                heat_map(board, board.absolute, measure, "Absolute")
            with right:
                heat_map(board, board.relative, measure, f"Relative, {choice.anchors.count} anchors")
            with st.expander("Table"):
                st.dataframe(table(board), hide_index=True)
            explanation(measure, label)
    show_sureness(choice, name, label)


def show_sureness(choice: Choice, name: str, label: str) -> None:
    sure = st.toggle(
        f"How sure, from {choice.a} to {choice.b}",
        key="sure",
        bind="query-params",
        help=f"Null band of {DRAWS} permutations and interval of {DRAWS} subsets; seconds for most measures.",
    )
    if not sure:
        return
    pair = (choice.a, choice.b, choice.data, choice.anchors, choice.k)
    question = Question("sure", Compare(*pair, measures=(name,), draws=DRAWS))
    compared = question.answer()
    if compared is not None:
        with question.place():
            st.markdown(sureness_sentence(compared, name, label))


def show_layers(choice: Choice, name: str) -> None:
    measure, label = MEASURES[name], MEASURES[name].label.format(k=choice.k)
    question = Question("layers", Layers(name, choice.a, choice.b, choice.data, choice.k))
    board = question.answer()
    if board is None:
        return
    with question.place():
        st.markdown(layers_sentence(board, label, choice.a, choice.b))
        layer_map(board, measure, choice)
        st.caption(
            "A layer is a module with weights, or a block of such, with the normalisation, activation and pooling "
            f"after it; of more than {MOST_LAYERS}, so many are shown in even steps, first and last always. "
            "Feature maps count by their mean over space, token sequences by their mean over tokens. "
            "`relviz add --latent NODE` makes any of these nodes a model of its own."
        )
        with st.expander("Table"):
            st.dataframe(layer_table(board), hide_index=True)
        explanation(measure, label)


def layer_map(board: LayerBoard, measure: Measure, choice: Choice) -> None:
    figure = plot_board(
        board.a,
        board.b,
        [[cell(board.values[i][j], f"{a} to {b}") for j, b in enumerate(board.b)] for i, a in enumerate(board.a)],
        title=f"{measure.label.format(k=choice.k)} of layers",
        row_title=f"A: {choice.a}",
        column_title=f"B: {choice.b}",
        low=max(0.0, measure.low),
        high=measure.high,
        height=480,
    )
    draw(figure, key="layers", alt=f"{measure.label} between the layers of {choice.a} and {choice.b}")


def layer_table(board: LayerBoard) -> pd.DataFrame:
    return pd.DataFrame(
        {"layer of A": a, "layer of B": b, **vars(board.values[i][j])}
        for i, a in enumerate(board.a)
        for j, b in enumerate(board.b)
    )


def explanation(measure: Measure, label: str) -> None:
    with st.expander("What is measured"):
        st.markdown(
            f"**{label}**: {measure.summary}; {measure.low:g} to {measure.high:g}. "
            f"Unchanged by: {', '.join(sorted(measure.invariances)) or 'nothing'}. Source: {measure.source}."
        )


DRAWS = 100  # resamplings; fewer leave the ends of a 95 % band unsteady
MODELS, LAYERS = "All models", "Layers of A and B"

choice = chosen()
notes = st.container(key="notes")
left, right = st.columns([1, 2])
between = left.segmented_control(
    "Between", [MODELS, LAYERS], default=MODELS, required=True, key="between", bind="query-params"
)
name = right.selectbox(
    "Measure",
    list(MEASURES),
    format_func=lambda name: MEASURES[name].label.format(k="k"),  # also in the address, so without a number
    key="measure",
    bind="query-params",
)
if between == LAYERS:
    show_layers(choice, name)
else:
    show_models(choice, name)
show_notes((choice.a, choice.b) if between == LAYERS else names_for(choice.dataset), choice.data, place=notes)
