"""Asking for results from a page: an answer when it is there, else progress that refreshes the page when it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from relviz.errors import RelvizError
from relviz.jobs.job import Job
from relviz.requests import Request
from relviz.ui.messages import refuse, show_error
from relviz.ui.wishes import Wish, wishes


class Question:
    """A request and its place on the page.

    Made where the answer will stand. What stood there for an earlier choice is gone at once, unless the answer is
    there at once: a page asks all its questions before it waits for any, so no number of another choice stays.

    Parameters
    ----------
    name: of the place; a visitor has at most one request under way for each.
    """

    def __init__(self, name: str, request: Request) -> None:
        self._wishes = wishes()
        self._wish = self._wishes.wish(name, request)
        # Where the answer is there at once, what stood here stays until it is replaced, and an element lives on.
        self._at_once = self._wish.finished()
        self._place = st.container() if self._at_once else st.empty()
        if not self._at_once:
            self._show_progress(self._place)

    def answer(self, *, patience: float = 0.4) -> Any | None:
        """The answer, or None while it is being computed or when it was refused; then the place says so.

        Parameters
        ----------
        patience: seconds to wait before leaving the rest to a timer.
        """
        self._wishes.ask()
        if not self._wish.finished(within=patience):
            with self._place.container():
                _watch(self)
            return None
        answer = None
        with self.place(), refuse():
            answer = self._wish.job.answer() if self._wish.job else None
        return answer

    def place(self) -> DeltaGenerator:
        """Where to draw the answer."""
        return self._place if self._at_once else self._place.container()

    def refresh(self) -> None:
        """Redraw the progress, or the page once the answer is there."""
        self._wishes.ask()
        if self._wish.finished():
            st.rerun()
        self._show_progress(st)

    def _show_progress(self, where: Any) -> None:
        share, text = self._wish.progress()
        where.progress(share, text=f"{text} …")


class Aside(Question):
    """A question beside the page's own ones.

    Nothing is shown while it is being computed, nor when it is refused: the others are for the same reason, and say so.
    """

    def answer(self, *, patience: float = 0.0) -> Any | None:
        """The answer, or None."""
        self._wishes.ask()
        if not self._wish.finished(within=patience):
            with self._place.container():
                _watch(self)
            return None
        job = self._wish.job
        return None if job is None or job.failed else job.answer()

    def _show_progress(self, where: Any) -> None:
        pass


class Series:
    """Requests whose answers are drawn together, as they come, above one line of progress.

    Every part is asked for by itself, so that of two choices only what differs is computed.

    Parameters
    ----------
    name: of the place.
    """

    def __init__(self, name: str) -> None:
        self._name, self._wishes = name, wishes()
        self._parts: dict[str, Wish] = {}

    def ask(self, requests: Mapping[str, Request]) -> None:
        """Ask for parts by their names, the most wanted first; more may be asked for later."""
        for part, request in requests.items():
            self._parts[part] = self._wishes.wish(f"{self._name}: {part}", request)

    def show(self, draw: Callable[[dict[Request, Any]], None]) -> None:
        """Draw the answers that are there, by their requests, and again when more are; nothing else is drawn again.

        Parameters
        ----------
        draw: is also called without answers. To places outside its own it must write every time.
        """
        (_growing if self._unfinished() else _whole)(self, draw)

    def step(self, draw: Callable[[dict[Request, Any]], None]) -> None:
        """Draw what there is now, and how far the rest is or what keeps it from coming."""
        self._wishes.ask()
        left = self._unfinished()
        jobs = {wish.request: wish.job for wish in self._parts.values() if wish not in left and wish.job}
        answers = {request: job.answer() for request, job in jobs.items() if not job.failed}
        draw(answers)
        if left:
            done = len(self._parts) - len(left)
            share, text = left[0].progress()
            st.progress((done + share) / len(self._parts), text=f"{done} of {len(self._parts)}; {text} …")
        else:
            _show_failures([job for job in jobs.values() if job.failed])

    def refresh(self, draw: Callable[[dict[Request, Any]], None]) -> None:
        """Draw again, or the whole page once everything is there, which ends the refreshing."""
        if not self._unfinished():
            st.rerun()
        self.step(draw)

    def _unfinished(self) -> list[Wish]:
        return [wish for wish in self._parts.values() if not wish.finished()]


def _show_failures(jobs: list[Job]) -> None:
    """Equal refusals once; of what was unforeseen the first, the log has them all."""
    told = set()
    for job in jobs:
        try:
            job.answer()
        except Exception as error:  # noqa: BLE001 shown as a sentence, or under its number in the log
            words = str(error) if isinstance(error, RelvizError) else ""
            if words not in told:
                show_error(error)
            told.add(words)


@st.fragment(run_every=0.4)
def _watch(question: Question) -> None:
    question.refresh()


@st.fragment
def _whole(series: Series, draw: Callable[[dict[Request, Any]], None]) -> None:
    series.step(draw)


@st.fragment(run_every=0.4)
def _growing(series: Series, draw: Callable[[dict[Request, Any]], None]) -> None:
    series.refresh(draw)
