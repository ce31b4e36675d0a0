"""Latent vectors multiplied by a factor: what the models' own heads and decoders make of them."""

from __future__ import annotations

import streamlit as st

from relviz.plots.palette import MODEL_A, MODEL_B
from relviz.plots.scale import plot_scale
from relviz.plots.words import scale_sentence
from relviz.requests import Rescale
from relviz.ui.asking import Question
from relviz.ui.controls import Choice
from relviz.ui.layout import draw
from relviz.usecases.reconstruction import ScaleCurve

_TITLES = {False: "Accuracy of the native head", True: "Error of the decoder"}


def show_scale(choice: Choice) -> None:
    """Asks for the curves of both models and draws them, accuracies and errors apart."""
    question = Question("scale", Rescale(tuple(dict.fromkeys((choice.a, choice.b))), choice.data))
    found: list[ScaleCurve] | None = question.answer()
    if found is None:
        return
    coloured = list(zip(found, (MODEL_A, MODEL_B), strict=False))
    kinds = [[each for each in coloured if each[0].decodes == decodes] for decodes in _TITLES]
    with question.place():
        st.markdown(scale_sentence(found))
        drawn = [curves for curves in kinds if curves]
        for column, curves in zip(st.columns(len(drawn)), drawn, strict=True):
            with column:
                _curves(curves)
        st.caption(
            f"Every latent vector of {found[0].n:,} held-out samples is multiplied by the factor before the model's "
            "own head or decoder reads it. A linear head without a bias answers the same at every factor; a bias, and "
            "anything not linear, notices. Source: 2406.15057, which drops the scale for this reason."
        )


def _curves(curves: list[tuple[ScaleCurve, str]]) -> None:
    title = _TITLES[curves[0][0].decodes]
    names = " and ".join(curve.model for curve, _ in curves)
    draw(plot_scale(curves, title=title, height=400), key=title, alt=f"{title} of {names} against the factor")
