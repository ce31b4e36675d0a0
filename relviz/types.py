"""The few types that every layer shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

# What a field's text names. A stored answer is found by what the names stand for, so every text field has one of these.
ModelName = Annotated[str, "model"]  # empty: none
DataName = Annotated[str, "data set"]
MethodName = Annotated[str, "method"]  # of any registry; stands for itself
SampleName = Annotated[str, "sample"]  # the id of a sample of the data set; stands for itself

OptionValue: TypeAlias = bool | int | float | str


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


@dataclass(frozen=True)
class SetOption:
    """A value other than its default for one option of one method that a request uses.

    Attributes
    ----------
    kind: "strategy", "projection", "measure" or "method".
    method: a key of that kind's registry.
    name: of an option that the method declares.
    """

    kind: MethodName
    method: MethodName
    name: MethodName
    value: OptionValue


def options_of(options: tuple[SetOption, ...], kind: str, method: str) -> dict[str, OptionValue]:
    """What is set of one method, by name.

    >>> options_of((SetOption("measure", "svcca", "keep", 0.9),), "measure", "svcca")
    {'keep': 0.9}
    """
    return {one.name: one.value for one in options if (one.kind, one.method) == (kind, method)}
