"""What is assumed about the models and the data of a page, above its numbers."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from relviz.requests import Notes
from relviz.ui.asking import Aside
from relviz.ui.text import public


def show_notes(models: Iterable[str], data: str, *, place: DeltaGenerator, name: str = "notes") -> None:
    """Ask for the notes and write each as a line of small print; to be called after the page's own questions.

    Parameters
    ----------
    place: where they stand; without notes it stays empty.
    name: of the question, unlike for each that a page asks.
    """
    with place:
        question = Aside(name, Notes(tuple(dict.fromkeys(models)), data))
        notes = question.answer()
        if notes:
            with question.place():
                st.caption("  \n".join(map(public, notes)))
