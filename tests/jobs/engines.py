"""An engine that computes nothing, and stages for real workers. The workers import this module by its name."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from relviz.errors import BadChoice
from relviz.jobs.engine import StageCall
from relviz.jobs.pipe import Message
from relviz.progress import Progress


class Started:
    """A call that ends when the test says so."""

    def __init__(self, call: StageCall, on_message: Callable[[Message], None]) -> None:
        self.call, self.tell, self.cancelled, self.forced = call, on_message, False, False

    def cancel(self, *, force: bool = True) -> None:
        self.cancelled, self.forced = True, force

    def answer(self, found: Any = "answer") -> None:
        self.tell(("answer", found))


class FakeEngine:
    """Notes what it is to begin; with `told`, each call ends at once with that message. Takes `places` on a lane."""

    ready, device = True, None

    def __init__(self, told: Message | None = None, *, places: int = 1) -> None:
        self.calls: list[Started] = []
        self.told, self.closed, self.places = told, False, places

    def width(self, _lane: str) -> int:
        return self.places

    def start(self, call: StageCall, on_message: Callable[[Message], None]) -> Started:
        self.calls.append(Started(call, on_message))
        if self.told is not None:
            on_message(self.told)
        return self.calls[-1]

    def close(self) -> None:
        self.closed = True


def give_back(given: Any, progress: Progress) -> Any:
    progress(0.5, "half way")
    return given, os.getpid()


def wait_kindly(given: float, progress: Progress) -> str:
    """Looks every few milliseconds whether it is still wanted."""
    until = time.monotonic() + given
    while time.monotonic() < until:
        progress(0.1, "waiting")
        time.sleep(0.01)
    return "waited"


def wait_deaf(given: float, _progress: Progress) -> str:
    time.sleep(given)
    return "waited"


def refuse(_given: Any, _progress: Progress) -> None:
    raise BadChoice("That is no number.", "Choose 3.")


def break_down(_given: Any, _progress: Progress) -> None:
    raise ZeroDivisionError("by nought")


def die(_given: Any, _progress: Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
