"""The few types that every layer shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MeasureValue:
    """A measure's answer: a finite value, or undefined with a reason; never NaN.

    Attributes
    ----------
    value: the number, or None when undefined.
    undefined: why there is no number, or None.
    n: samples it was computed on.
    chance: what unrelated spaces are expected to give, where that is known in closed form.
    """

    value: float | None
    undefined: str | None
    n: int
    chance: float | None = None

    @classmethod
    def because(cls, reason: str, n: int) -> MeasureValue:
        """An undefined value."""
        return cls(None, reason, n)
