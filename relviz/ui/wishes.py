"""What visitors' pages wish to be computed, and the broker that they ask."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from weakref import WeakValueDictionary

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from relviz.errors import Busy
from relviz.jobs import answers
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.jobs.job import Job
from relviz.requests import Maps, Request

DEFAULT_PAIR = ("fmnist-cnn-s0", "fmnist-cnn-s1")
_SERVER = "the server itself"  # as a visitor, who asks before anyone comes
_STATE = "wishes"


@cache
def broker() -> Broker:
    """The one broker of this server."""
    made = Broker(LocalEngine(), answers=answers, present=_present)
    atexit.register(made.close)
    return made


def warm_up() -> None:
    """Start the workers and begin what the first visitor will ask for: the default pair."""
    for reduction in ("pca", "umap"):
        broker().submit(Maps(*DEFAULT_PAIR, "fashion-mnist", reduction=reduction), visitor=_SERVER, urgent=False)


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

    Attributes
    ----------
    page, query: the page that is shown, by Streamlit's name for it, and the address' query.
    """

    def __init__(self, visitor: str) -> None:
        self.visitor, self.page, self.query = visitor, "", ""
        self._places: dict[str, Wish] = {}
        self._asked: set[str] = set()  # places of the present run
        self._seen: tuple[Request, str | None] | None = None
        self._told: frozenset[tuple[Request, str | None]] = frozenset()  # for what this was last found outdated

    def turn_to(self, page: str) -> None:
        """Leave what another page asked for."""
        if page != self.page:
            self.page, self._asked = page, set()
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

    def outdated(self, key: Callable[[Request], str | None]) -> bool:
        """Whether a file has changed on which something depends that was asked for or seen.

        Parameters
        ----------
        key: what a request follows from now.
        """
        return self._changed(key) != frozenset()

    def newly_outdated(self, key: Callable[[Request], str | None]) -> bool:
        """As `outdated`, but once for each change: what was told is drawn anew, however long that takes."""
        former, self._told = self._told, self._changed(key)
        return not self._told <= former

    def _changed(self, key: Callable[[Request], str | None]) -> frozenset[tuple[Request, str | None]]:
        asked = [(wish.request, wish.key) for wish in tuple(self._places.values())]
        asked += [self._seen] if self._seen else []
        return frozenset((request, now) for request, then in asked if (now := key(request)) != then)

    def _leave(self, wish: Wish) -> None:
        # Two places may want the same job.
        if wish.job is not None and all(other.job is not wish.job for other in self._places.values()):
            broker().leave(self.visitor, wish.job)


_open: WeakValueDictionary[str, Wishes] = WeakValueDictionary()  # of every session that is not over, by its name


def wishes() -> Wishes:
    """This visitor's, for the page that is being drawn."""
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("questions are asked by pages that Streamlit runs")
    if _STATE not in st.session_state:
        st.session_state[_STATE] = _open[context.session_id] = Wishes(context.session_id)
    found: Wishes = st.session_state[_STATE]
    found.turn_to(context.page_script_hash)
    found.query = context.query_string
    return found


def former_wishes() -> Wishes | None:
    """This visitor's as they are: a part that is drawn by itself may not know its page, and would turn away from it."""
    return st.session_state.get(_STATE)


def all_wishes() -> list[Wishes]:
    """Those of all visitors."""
    return list(_open.values())


def leave_rest() -> None:
    """Leave what the page asked for earlier, but not in the run that now ends."""
    wishes().leave_rest()
