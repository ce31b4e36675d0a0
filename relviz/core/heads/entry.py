"""What a head says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.registry import Entry


class Head(Protocol):
    """What every head offers."""

    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class HeadEntry(Entry[Callable[..., Head]]):
    """One registered head: function(x, labels, *, classes, **options); `invariances` are those of its decisions."""


CLOUD = frozenset({"isotropic scale", "orthogonal", "translation", "permutation"})
HEADS: dict[str, HeadEntry] = {}
