"""What a measure says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relviz.core.measures.pair import Pair
from relviz.core.options import check_options
from relviz.core.registry import Entry, Registry, flaw_of
from relviz.types import MeasureValue


@dataclass(frozen=True, kw_only=True)
class Measure(Entry[Callable[..., MeasureValue]]):
    """One registered measure; its label's `{k}` stands for the number of neighbours.

    Its invariances are to transformations of A alone; an undirected measure has them for B as well.

    Attributes
    ----------
    low, high: the range of its values.
    higher_is_alike: False for a distance, which is 0 between a space and itself; else that value is `high`.
    compares_vectors: whether it needs both spaces to have one width.
    directed: whether A to B differs from B to A.
    """

    low: float
    high: float
    higher_is_alike: bool = True
    compares_vectors: bool = False
    directed: bool = False

    def flaw(self) -> str | None:
        """What is wrong with an entry that another package brings, or None."""
        if not self.low < self.high:
            return f"its range, {self.low} to {self.high}, is empty"
        return (
            "its label holds braces around something else than k"
            if set("{}") & set(self.label.replace("{k}", ""))
            else super().flaw()
        )

    @property
    def best(self) -> float:
        """The value of a space with itself."""
        return self.high if self.higher_is_alike else self.low

    @property
    def uses_k(self) -> bool:
        """Whether its value depends on the number of neighbours."""
        return "{k}" in self.label

    def __call__(self, pair: Pair, **options: float) -> MeasureValue:
        """Value on a pair, undefined where the measure does not apply.

        Raises
        ------
        UnknownName, BadChoice: an option that the measure does not declare, or a value out of its range.
        """
        check_options(self, options)
        reason = pair.unusable or (pair.incomparable if self.compares_vectors else pair.still)
        return MeasureValue.because(reason, pair.n) if reason else self.function(pair, **options)


SCALE = frozenset({"isotropic scale"})  # angles between the spaces
DIRECTIONS = SCALE | {"orthogonal", "permutation"}  # angles within one space
CLOUD = DIRECTIONS | {"translation"}  # distances within one space, up to scale

MEASURES: Registry[Measure] = Registry("relviz.measures", flaw_of(Measure))
