"""What breaks when stitched, for one encoder, head and method; a click shows the samples in the maps."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from relviz.data.dataset import DataSet
from relviz.plots.breakage import plot_gaps, plot_reliability
from relviz.plots.words import breakage_sentence
from relviz.requests import Readings
from relviz.ui.asking import Question
from relviz.ui.controls import Choice
from relviz.ui.explore.maps import select_samples
from relviz.ui.layout import draw
from relviz.usecases.explain import Breakage, Predictions, what_breaks

_EXPLORE = "explore.py"  # beside the script that Streamlit runs


def show_breakage(choice: Choice, pair: tuple[str, str], method: str) -> None:
    """Ask for the predictions and show how they differ."""
    question = Question("breaks", Readings(*pair, choice.data, choice.anchors, method, choice.k))
    reading = question.answer()
    if reading is None:
        return
    with question.place():
        if reading.predictions is None:
            st.markdown(f"**{pair[1]}** cannot read **{pair[0]}** by {method}: {reading.undefined}.")
            return
        found = what_breaks(choice.dataset, reading.predictions)
        st.markdown(breakage_sentence(found, *pair, method))
        _offer_samples(choice.dataset, found)
        _pictures(choice.dataset, found, reading.predictions)


def _offer_samples(data: DataSet, found: Breakage) -> None:
    kinds = {
        "broken": (found.broken, "right natively, wrong stitched"),
        "mended": (found.mended, "wrong natively, right stitched"),
    }
    with st.container(horizontal=True):
        for key, (rows, what) in kinds.items():
            if st.button(f"Show in the maps: {rows.sum():,} {what}", key=f"show-{key}", disabled=not rows.any()):
                select_samples(data, rows)
                st.switch_page(_EXPLORE, query_params={})  # without, bound ones would be refused


def _pictures(data: DataSet, found: Breakage, predictions: Predictions) -> None:
    left, middle, right = st.columns([5, 5, 5])
    with left:
        figure = plot_gaps(data.class_names, found.native, found.stitched, height=360)
        draw(figure, key="gaps", alt="Accuracy of each class, native minus stitched")
    with middle:
        st.markdown("**Most frequent confusions**")
        pairs = [
            {"class": pair.of, "taken for": pair.taken_for, "stitched": pair.stitched, "natively": pair.natively}
            for pair in found.pairs
        ]
        st.dataframe(pd.DataFrame(pairs), hide_index=True, height=318)
    with right:
        figure = plot_reliability(found.native_reliability, found.stitched_reliability, height=360)
        draw(figure, key="reliability", alt="Accuracy against confidence, native and stitched")
    st.caption(
        f"Confidence is the largest of softmax(scores / {predictions.temperature:.3g}). Heads fitted by least squares "
        "give scores that are no probabilities, and trained heads are often too sure; one temperature, fitted on the "
        "gallery with the head's own encoder, brings either to scale and changes no prediction. The same one serves "
        "when stitched, so what is lost there is the stitching's. The expected calibration error is the mean distance "
        "from the diagonal over 15 bins, weighted by samples (1706.04599)."
    )
