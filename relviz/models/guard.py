"""Code of a user, run so that it can harm only itself: it may raise, exit, print or never return."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, TypeVar

from relviz import settings
from relviz.errors import BadChoice, RelvizError, one_line

T = TypeVar("T")
_log = logging.getLogger(__name__)
_stuck: dict[str, threading.Thread] = {}  # by builder; each would only be joined by another of its kind


def run_guarded(builder: str, work: Callable[[], T]) -> T:
    """What `work`, which runs code of the builder's module, returns. What it prints goes to the log.

    It runs in a thread of its own, where an exit ends nothing else, and which is left behind when it takes longer than
    `settings.BUILDER_SECONDS`.

    Raises
    ------
    RelvizError: as `work`. BadChoice: it raised anything else, exits, or has not returned in time.

    >>> run_guarded("mine:build", lambda: 3)
    3
    """
    if builder in _stuck and _stuck[builder].is_alive():
        raise _late(builder)
    found: list[Any] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 an exit too: it is the module's, not ours
            raised.append(error)

    thread = threading.Thread(target=run, name=f"builder {builder}", daemon=True)
    printed = io.StringIO()
    with redirect_stdout(printed):
        thread.start()
        thread.join(settings.BUILDER_SECONDS)
    if text := printed.getvalue().strip():
        _log.warning("the builder %s prints: %s", builder, text[:1000])
    if raised:
        raise _refusal(builder, raised[0]) from raised[0]
    if not found:
        _stuck[builder] = thread
        raise _late(builder)
    result: T = found[0]
    return result


def _refusal(builder: str, error: BaseException) -> RelvizError:
    if isinstance(error, RelvizError):
        return error
    reason = one_line(error)
    return BadChoice(f"The builder '{builder}' raises {type(error).__name__} ({reason}).", "Correct it, and try again.")


def _late(builder: str) -> BadChoice:
    sentence = f"The builder '{builder}' has not returned after {settings.BUILDER_SECONDS:.0f} seconds."
    return BadChoice(sentence, "Correct it, and start relviz again.")
