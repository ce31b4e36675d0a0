"""Measures: two spaces over the same samples in, one number with a stated range out.

Every measure takes a `Pair`, which computes the passes that several measures share only once. A new one is one
function and one entry in `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from relviz.core.measures.cka import linear_cka, linear_cka_debiased
from relviz.core.measures.pair import Pair
from relviz.core.measures.retrieval import jaccard, mean_cosine, mrr
from relviz.core.registry import Entry
from relviz.types import MeasureValue

__all__ = ["MEASURES", "Measure", "Pair", "measure_all"]


@dataclass(frozen=True, kw_only=True)
class Measure(Entry[Callable[[Pair], MeasureValue]]):
    """One registered measure; its label's `{k}` stands for the number of neighbours.

    Attributes
    ----------
    low, high: the range of its values.
    compares_vectors: whether it needs both spaces to have one width.
    directed: whether A to B differs from B to A.
    """

    low: float
    high: float
    compares_vectors: bool = False
    directed: bool = False

    def __call__(self, pair: Pair) -> MeasureValue:
        """Value on a pair, undefined where the measure does not apply."""
        reason = pair.unusable or (pair.incomparable if self.compares_vectors else None)
        return MeasureValue.because(reason, pair.n) if reason else self.function(pair)


_CLOUD = frozenset({"isotropic scale", "orthogonal", "translation", "permutation"})

MEASURES: dict[str, Measure] = {
    "cka": Measure(
        label="CKA, linear",
        function=linear_cka,
        summary="shape of the two clouds, up to rotation and scale",
        source="1905.00414",
        invariances=_CLOUD,
        low=0.0,
        high=1.0,
    ),
    "cka-debiased": Measure(
        label="CKA, linear, debiased",
        function=linear_cka_debiased,
        summary="as CKA, without its inflation at few samples",
        source="2010.15327",
        invariances=_CLOUD,
        low=-1.0,
        high=1.0,
    ),
    "jaccard": Measure(
        label="Jaccard@{k}",
        function=jaccard,
        summary="neighbours shared when A's vectors search B",
        source="2209.15430",
        invariances=frozenset({"isotropic scale"}),
        low=0.0,
        high=1.0,
        compares_vectors=True,
        directed=True,
    ),
    "mrr": Measure(
        label="MRR@{k}",
        function=mrr,
        summary="how near A's vector lands to the same sample in B",
        source="2209.15430",
        invariances=frozenset({"isotropic scale"}),
        low=0.0,
        high=1.0,
        compares_vectors=True,
        directed=True,
    ),
    "cosine": Measure(
        label="Mean cosine",
        function=mean_cosine,
        summary="angle between the two vectors of a sample",
        source="2209.15430",
        invariances=frozenset({"isotropic scale"}),
        low=-1.0,
        high=1.0,
        compares_vectors=True,
    ),
}


def measure_all(a: Float[Tensor, "n d"], b: Float[Tensor, "m e"], *, k: int) -> dict[str, MeasureValue]:
    """Every registered measure on one pair of spaces, sharing passes.

    Raises
    ------
    BadChoice: unlike numbers of rows, or k not below n.

    >>> import torch
    >>> sorted(measure_all(torch.eye(5), torch.eye(5), k=2)) == sorted(MEASURES)
    True
    """
    pair = Pair(a, b, k=k)
    return {name: measure(pair) for name, measure in MEASURES.items()}
