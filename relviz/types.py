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
    null: the middle 95 % of the values of permuted samples, where they were asked for.
    interval: 95 % confidence interval over other samples of the same kind, where it was asked for.
    """

    value: float | None
    undefined: str | None
    n: int
    chance: float | None = None
    null: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None

    @classmethod
    def because(cls, reason: str, n: int) -> MeasureValue:
        """An undefined value."""
        return cls(None, reason, n)
