"""Anchors: how well a set serves two models, which anchors matter, and what is left without some."""

import streamlit as st

from relviz.plots.anchors import anchors_sentence, plot_influence
from relviz.requests import by_hand
from relviz.ui.anchors.choosing import choose_by_hand
from relviz.ui.anchors.numbers import explain_numbers, show_numbers
from relviz.ui.asking import Question
from relviz.ui.controls import chosen
from relviz.ui.layout import draw
from relviz.ui.messages import refuse
from relviz.ui.notes import show_notes
from relviz.usecases.anchors import AnchorDiagnosis, DiagnoseAnchors


def switch(ids: list[str]) -> list[str]:
    """The anchors that are switched off."""
    off = st.multiselect(
        "Switched off",
        ids,
        key="off",
        bind="query-params",
        placeholder="Switch off anchors by their ids",
        help="What the numbers are without these anchors stands beside the others.",
    )
    if len(off) == len(ids):
        st.info("No anchor is left. Switch fewer off.")
    return off


def pictures(found: AnchorDiagnosis, off: list[str]) -> None:
    """The influence of each anchor, where there are two spaces."""
    if not found.influence:
        st.info("Choose two different models to see how each anchor changes what they have in common.")
        return
    figure = plot_influence(found.ids, found.influence, off, height=330)
    draw(figure, key="influence", alt=f"Influence of {len(found.ids)} anchors on the CKA of the relative spaces")


choice = chosen()
notes, answer = st.container(key="notes"), st.container(key="answer")
with refuse():
    anchors = choose_by_hand(choice.anchors)
    pair = (choice.a, choice.b if choice.b != choice.a else "", choice.data)
    with answer:
        question = Question("anchors", DiagnoseAnchors(*pair, anchors))
    whole = question.answer()
    if whole is not None:
        with question.place():
            st.markdown(anchors_sentence(whole))
        off = switch(whole.ids)
        left, right = st.columns([6, 5])
        with right:
            pictures(whole, off)
        with left:
            rest = None
            if off and len(off) < len(whole.ids):
                kept = by_hand((name for name in whole.ids if name not in off), anchors)
                without = Question("without", DiagnoseAnchors(*pair, kept))
                rest = without.answer()
            show_numbers(whole, rest)
        explain_numbers()
    show_notes((choice.a, choice.b), choice.data, place=notes)
