"""How far a piece of work is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[float, str], None]  # called with the share done, in [0, 1], and what is done now


class Interruptible(str):
    """What is done now, by work that keeps its finished parts: interrupted, it goes on from there when asked again."""


def silent(_share: float, _text: str) -> None:
    """Progress that nobody watches."""
