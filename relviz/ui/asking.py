"""Asking for results from a page: an answer when it is there, else progress that refreshes the page when it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from relviz.service import reducer
from relviz.service.jobs import Broker, Job
from relviz.service.requests import Maps, Request
from relviz.ui.messages import refuse

DEFAULT_PAIR = ("fmnist-cnn-s0", "fmnist-cnn-s1")


@cache
def broker() -> Broker:
    """The one broker of this server."""
    return Broker()


def warm_up() -> None:
    """Begin what the first visitor will ask for: the compilation of UMAP and the default pair."""
    reducer.warm()
    for reduction in ("pca", "umap"):
        broker().submit(Maps(*DEFAULT_PAIR, "fashion-mnist", reduction=reduction))


class Question:
    """A request and its place on the page.

    Made where the answer will stand. What stood there for an earlier choice is gone at once, unless the answer is
    there at once: a page asks all its questions before it waits for any, so no number of another choice stays.

    Parameters
    ----------
    name: of the place; a visitor has at most one request under way for each.
    """

    def __init__(self, name: str, request: Request) -> None:
        self._job = _submit(name, request)
        self._place = st.empty()
        if not self._job.finished():
            self._show_progress(self._place)

    def answer(self, *, patience: float = 0.4) -> Any | None:
        """The answer, or None while it is being computed or when it was refused; then the place says so.

        Parameters
        ----------
        patience: seconds to wait before leaving the rest to a timer.
        """
        if not self._job.finished(within=patience):
            with self._place.container():
                _watch(self)
            return None
        answer = None
        with self._place.container(), refuse():
            answer = self._job.answer()
        return answer

    def place(self) -> DeltaGenerator:
        """Where to draw the answer."""
        return self._place.container()

    def refresh(self) -> None:
        """Redraw the progress, or the page once the answer is there."""
        if self._job.finished():
            st.rerun()
        self._show_progress(st)

    def _show_progress(self, where: Any) -> None:
        where.progress(self._job.share, text=f"{self._job.text} …")


@st.fragment(run_every=0.4)
def _watch(question: Question) -> None:
    question.refresh()


def _submit(name: str, request: Request) -> Job:
    job = broker().submit(request)
    former: Job | None = st.session_state.get(f"job-{name}")
    if former is not None and former is not job:
        broker().abandon(former)
    st.session_state[f"job-{name}"] = job
    return job
