"""One request on its way to an answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Literal, TypeAlias

from relviz.jobs.engine import Running
from relviz.progress import Interruptible
from relviz.requests import Request
from relviz.usecases.table import use_case

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


class Stopwatch:
    """Seconds spent computing, and a guess at those that are left."""

    def __init__(self) -> None:
        self._spent, self._began, self._whole = 0.0, 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Spent so far."""
        return self._spent + (time.monotonic() - self._began if self._began else 0.0)

    @property
    def left(self) -> float | None:
        """Still to be spent; None while too little is known."""
        return max(0.0, self._whole - self.seconds) if self._whole else None

    def start(self) -> None:
        """Begin to count."""
        self._began = time.monotonic()

    def stop(self) -> None:
        """Stop counting; `start` goes on."""
        self._spent, self._began = self.seconds, 0.0

    def learn(self, share: float) -> None:
        """Guess from the share that is done; the first seconds and percents say too little."""
        if share >= 0.05 and self.seconds >= 1.0:
            whole = self.seconds / share
            self._whole = 0.7 * self._whole + 0.3 * whole if self._whole else whole


class Job:
    """One request on its way.

    Attributes
    ----------
    key: what its answer follows from: a job is about the content that names stood for when it was asked for.
    state: where it is; a job of two stages waits before each.
    share, text: how far it is, in [0, 1], and what it is doing.
    interruptible: whether what it is doing keeps its finished parts.
    position: its place among those that wait for the same worker, 1 is next; 0 when it does not wait.
    visitors: who wants it, while it is unfinished.
    urgent: whether somebody waits for it; one that was only begun in advance lets all others go before it.
    gives_way: whether it lets others have their turn before it goes on: encoding takes as long as it takes, and its
        rows are kept. `reached` is how far it was when it last did; one that came no farther has taken too long.
    """

    def __init__(self, request: Request, key: str | None) -> None:
        self.request, self.key = request, key
        self.state: State = "waiting"
        self.share, self.text, self.position = 0.0, "starting", 0
        self.interruptible = False
        self.visitors: set[str] = set()
        self.urgent = False
        self.gives_way, self.reached = False, 0.0
        self.stopwatch = Stopwatch()
        self.stages = deque(use_case(type(request)).stages(request))
        self.given: Any = request
        self.call: Running | None = None
        self._over = threading.Event()
        self._answer: Any = None
        self._error: Exception | None = None

    @property
    def seconds_left(self) -> float | None:
        """A guess, None until it can be made."""
        return self.stopwatch.left

    @property
    def failed(self) -> bool:
        """Whether it ended without an answer."""
        return self.state in ("failed", "cancelled")

    def finished(self, within: float = 0.0) -> bool:
        """Whether the answer, or an error, is there after waiting at most so many seconds."""
        return self._over.wait(within)

    def answer(self) -> Any:
        """The answer of a finished job.

        Raises
        ------
        RelvizError: the request could not be met, or nobody wanted it any more.
        """
        if self._error is not None:
            raise self._error
        return self._answer

    def progress(self, share: float, text: str) -> None:
        """Note how far it is."""
        self.share, self.text = share, text
        self.interruptible = isinstance(text, Interruptible)
        self.stopwatch.learn(share)

    def end(self, state: State, *, answer: Any = None, error: Exception | None = None) -> None:
        """Finish it."""
        self._answer, self._error = answer, error
        self.state, self.position = state, 0
        self.visitors = set()
        self._over.set()
