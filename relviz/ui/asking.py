"""Asking for results from a page: an answer when it is there, else progress that refreshes the page when it is."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from relviz.errors import Busy, RelvizError
from relviz.service import answers
from relviz.service.engine import LocalEngine
from relviz.service.jobs import Broker, Job
from relviz.service.requests import Maps, Request, Similarity
from relviz.ui.messages import refuse, show_error

DEFAULT_PAIR = ("fmnist-cnn-s0", "fmnist-cnn-s1")
_SERVER = "the server itself"  # as a visitor, who asks before anyone comes
_STATE = "wishes"
_LOOK = 1.0  # seconds between two looks at the files that a page depends on


@cache
def broker() -> Broker:
    """The one broker of this server."""
    made = Broker(LocalEngine(), answers=answers, present=_present)
    atexit.register(made.close)
    return made


def warm_up() -> None:
    """Start the workers and begin what the first visitor will ask for: the default pair."""
    for reduction in ("pca", "umap"):
        broker().submit(Maps(*DEFAULT_PAIR, "fashion-mnist", reduction=reduction), visitor=_SERVER)


def leave_rest() -> None:
    """Leave what the page asked for earlier, but not in the run that now ends."""
    _wishes().leave_rest()


def see_shelf(data: str) -> None:
    """Note what the models on offer and a data set are now, so that the page follows when they change."""
    _wishes().see(Similarity("", data))  # it follows from every model that fits the data


@st.fragment(run_every=_LOOK)
def keep_up() -> None:
    """Draw the page again when a file has changed that it shows numbers of, also where nobody touches the page."""
    catch_up()


def catch_up() -> None:
    """Draw the whole page again where it is outdated; what is drawn again by itself calls this first."""
    context = get_script_run_ctx()
    alone = context is not None and context.fragment_ids_this_run  # a whole run asks anew in any case
    # Not by `_wishes`: a part that is drawn by itself may not know its page, and would turn away from it.
    wishes: Wishes | None = st.session_state.get(_STATE)
    if alone and wishes is not None and wishes.outdated():
        st.rerun()


def _present(visitor: str) -> bool:
    return visitor == _SERVER or not runtime.exists() or runtime.get_instance().is_active_session(visitor)


class Wish:
    """What one place of a page asks for, let in or not, and what the answer follows from."""

    def __init__(self, request: Request, key: str | None) -> None:
        self.request, self.key = request, key
        self.job: Job | None = None
        self._refused = ""

    @property
    def open(self) -> bool:
        """Whether it is still to be asked for: never yet, or its job was dropped while the browser was away."""
        return self.job is None or self.job.state == "cancelled"

    def finished(self, within: float = 0.0) -> bool:
        """Whether the answer, or an error, is there after waiting at most so many seconds."""
        return self.job is not None and self.job.finished(within) and not self.open

    def ask(self, visitor: str) -> bool:
        """Whether it is let in."""
        try:
            self.job = broker().submit(self.request, visitor=visitor)
        except Busy as busy:
            self._refused = busy.sentence.removesuffix(".")
            return False
        self.key = self.job.key
        return True

    def progress(self) -> tuple[float, str]:
        """How far it is, in [0, 1], and in words."""
        if self.job is None or self.open:
            return 0.0, f"{self._refused}; this page asks again by itself" if self._refused else "waiting for its turn"
        if self.job.state == "waiting":
            return self.job.share, f"waiting: position {self.job.position}"
        left = self.job.seconds_left or 0.0
        return self.job.share, self.job.text + (f", about {left:.0f} s left" if left >= 1 else "")


class Wishes:
    """What one visitor's page asks for, place by place in the page's order, which is the order of serving.

    Nothing here calls Streamlit, so that nothing can interrupt it half-way.
    """

    def __init__(self, visitor: str) -> None:
        self.visitor = visitor
        self._page = ""
        self._places: dict[str, Wish] = {}
        self._asked: set[str] = set()  # places of the present run
        self._seen: tuple[Request, str | None] | None = None

    def turn_to(self, page: str) -> None:
        """Leave what another page asked for."""
        if page != self._page:
            self._page, self._asked = page, set()
            self.leave_rest()

    def leave_rest(self) -> None:
        """Leave what the run that now ends did not ask for any more."""
        for place in self._places.keys() - self._asked:
            self._leave(self._places.pop(place))
        self._asked = set()

    def wish(self, place: str, request: Request) -> Wish:
        """The wish of a place: the one it has, if it asks the same of the same content, else a new one."""
        self._asked.add(place)
        former, key = self._places.get(place), broker().key(request)
        if former is None or (former.request, former.key) != (request, key):
            self._places[place] = Wish(request, key)
            if former is not None:
                self._leave(former)
        self.ask(until=self._places[place])
        return self._places[place]

    def ask(self, *, until: Wish | None = None) -> None:
        """Ask for what was not let in yet, in order; the first that is refused keeps its place before the others."""
        for wish in self._places.values():
            if wish.open and not wish.ask(self.visitor):
                return
            if wish is until:
                return

    def see(self, request: Request) -> None:
        """Note what a request, never made, now follows from; once it follows from something else, this is outdated."""
        self._seen = (request, broker().key(request))

    def outdated(self) -> bool:
        """Whether a file has changed on which something depends that was asked for or seen."""
        asked = [(wish.request, wish.key) for wish in self._places.values()]
        asked += [self._seen] if self._seen else []
        return any(broker().key(request, age=_LOOK / 2) != key for request, key in asked)

    def _leave(self, wish: Wish) -> None:
        # Two places may want the same job.
        if wish.job is not None and all(other.job is not wish.job for other in self._places.values()):
            broker().leave(self.visitor, wish.job)


class Question:
    """A request and its place on the page.

    Made where the answer will stand. What stood there for an earlier choice is gone at once, unless the answer is
    there at once: a page asks all its questions before it waits for any, so no number of another choice stays.

    Parameters
    ----------
    name: of the place; a visitor has at most one request under way for each.
    """

    def __init__(self, name: str, request: Request) -> None:
        self._wishes = _wishes()
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
        self._name, self._wishes = name, _wishes()
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


def _wishes() -> Wishes:
    """This visitor's, for the page that is being drawn."""
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("questions are asked by pages that Streamlit runs")
    if _STATE not in st.session_state:
        st.session_state[_STATE] = Wishes(context.session_id)
    found: Wishes = st.session_state[_STATE]
    found.turn_to(context.page_script_hash)
    return found
