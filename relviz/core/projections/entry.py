"""What a projection says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from relviz.core.registry import Entry, Option, Registry, flaw_of


@dataclass(frozen=True, kw_only=True)
class Projection(Entry[Callable[..., Tensor]]):
    """One registered projection; its invariances are those without centring.

    Attributes
    ----------
    low, high: the range of its values; None where open.
    similarity: whether a larger value means nearer; otherwise it is a distance or a coefficient.
    pointwise: whether a coordinate depends on its sample and the anchors alone.
    """

    low: float | None
    high: float | None
    similarity: bool = False
    pointwise: bool = True

    def flaw(self) -> str | None:
        """What is wrong with an entry that another package brings, or None."""
        declared = any(option.name == "centred" for option in self.options)
        return super().flaw() if declared else "it has no option `centred`, which every projection has"

    def invariant_to(self, *, centred: bool) -> frozenset[str]:
        """Transformations that leave its result unchanged, with or without centring on the anchors."""
        return self.invariances | {"translation"} if centred else self.invariances


CENTRED = Option("centred", False, "subtract the anchors' mean from samples and anchors first")
RIGID = frozenset({"orthogonal", "permutation"})
CONFORMAL = RIGID | {"isotropic scale"}


PROJECTIONS: Registry[Projection] = Registry("relviz.projections", flaw_of(Projection))
