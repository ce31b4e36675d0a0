"""What a projection says about itself, and the table of all."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from relviz.core.registry import Entry, Registry, flaw_of


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
        taken = "centred" in inspect.signature(self.function).parameters
        return super().flaw() if taken else "its function takes no `centred`, which every projection does"

    def invariant_to(self, *, centred: bool) -> frozenset[str]:
        """Transformations that leave its result unchanged, with or without centring on the anchors."""
        return self.invariances | {"translation"} if centred else self.invariances


RIGID = frozenset({"orthogonal", "permutation"})
CONFORMAL = RIGID | {"isotropic scale"}


PROJECTIONS: Registry[Projection] = Registry("relviz.projections", flaw_of(Projection))
