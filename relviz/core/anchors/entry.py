"""What an anchor strategy says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from relviz.core.registry import TRANSFORMATIONS, Entry, Registry, flaw_of


@dataclass(frozen=True, kw_only=True)
class Strategy(Entry[Callable[..., Tensor]]):
    """One registered strategy.

    Attributes
    ----------
    needs: attributes of `Gallery` that it reads.
    """

    needs: frozenset[str] = frozenset()


BLIND = frozenset(TRANSFORMATIONS)  # reads no vectors
ANGLES = frozenset({"isotropic scale", "orthogonal", "permutation"})
STRATEGIES: Registry[Strategy] = Registry("relviz.anchor_strategies", flaw_of(Strategy))
