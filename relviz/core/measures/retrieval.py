"""Retrieval measures of relative representations: A's vectors search B."""

from __future__ import annotations

import torch

from relviz.core.measures.measure import MEASURES, SCALE, Measure
from relviz.core.measures.pair import Pair
from relviz.types import MeasureValue


def jaccard(pair: Pair) -> MeasureValue:
    """Jaccard@k from A to B, in [0, 1]: mean overlap of two neighbour lists in B, by cosine.

    One list holds the k rows of B nearest to the sample's vector in A, the other those nearest to its vector in B, the
    sample itself included; overlap is intersection over union. Needs equal widths. Source: 2209.15430, its retrieval
    evaluation.

    Raises nothing for spaces of one width; for others `Measure` says that it is undefined.

    >>> import torch
    >>> jaccard(Pair(torch.eye(4), torch.eye(4), k=1)).value
    1.0
    """
    k, n = pair.k, pair.n
    expected = k * k / n  # shared entries of two random lists
    return MeasureValue(float(pair.retrieval.jaccard.mean()), None, n, chance=expected / (2 * k - expected))


MEASURES["jaccard"] = Measure(
    label="Jaccard@{k}",
    function=jaccard,
    summary="neighbours shared when A's vectors search B",
    source="2209.15430",
    detail="Neighbours are by cosine among the rows of B; the sample itself is one of them and may be among the k.",
    invariances=SCALE,
    low=0.0,
    high=1.0,
    compares_vectors=True,
    directed=True,
)


def mrr(pair: Pair) -> MeasureValue:
    """MRR@k from A to B, in [0, 1]: mean reciprocal rank of the sample itself.

    Its rank counts among the k rows of B nearest to its vector in A by cosine; 0 where it is not among them. Needs
    equal widths. Source: 2209.15430, its retrieval evaluation.

    Raises nothing for spaces of one width; for others `Measure` says that it is undefined.

    >>> import torch
    >>> mrr(Pair(torch.eye(4), torch.eye(4), k=1)).value
    1.0
    """
    rank = pair.retrieval.rank
    reciprocal = torch.where(rank <= pair.k, 1 / rank.double(), 0.0)
    return MeasureValue(float(reciprocal.mean()), None, pair.n, chance=_harmonic(pair.k) / pair.n)


MEASURES["mrr"] = Measure(
    label="MRR@{k}",
    function=mrr,
    summary="how near A's vector lands to the same sample in B",
    source="2209.15430",
    detail="Ranks are by cosine among all rows of B, the sample itself included, for it is what is looked for; "
    "beyond rank k it counts 0.",
    invariances=SCALE,
    low=0.0,
    high=1.0,
    compares_vectors=True,
    directed=True,
)


def mrr_full(pair: Pair) -> MeasureValue:
    """MRR from A to B over the full ranking, in (0, 1]: mean reciprocal rank of the sample itself among all of B.

    Not the papers' MRR@k, which is 0 beyond rank k, and never below it. Needs equal widths. Source: Voorhees 1999, on
    the search of 2209.15430.

    Raises nothing for spaces of one width; for others `Measure` says that it is undefined.

    >>> import torch
    >>> mrr_full(Pair(torch.eye(4), torch.eye(4), k=1)).value
    1.0
    """
    reciprocal = 1 / pair.retrieval.rank.double()
    return MeasureValue(float(reciprocal.mean()), None, pair.n, chance=_harmonic(pair.n) / pair.n)


MEASURES["mrr-full"] = Measure(
    label="MRR, full ranking",
    function=mrr_full,
    summary="as MRR, counting every rank and not only the first few",
    source="Voorhees 1999",
    detail="Ranks are by cosine among all rows of B, the sample itself included, for it is what is looked for.",
    invariances=SCALE,
    low=0.0,
    high=1.0,
    compares_vectors=True,
    directed=True,
)


def mean_cosine(pair: Pair) -> MeasureValue:
    """Mean cosine similarity of the two vectors of each sample, in [-1, 1]. Needs equal widths. Source: 2209.15430.

    A zero vector counts as 0 beside another vector, and as 1 beside a second zero: then the two are the same.

    Raises nothing for spaces of one width; for others `Measure` says that it is undefined.

    >>> import torch
    >>> round(mean_cosine(Pair(torch.eye(3), torch.eye(3), k=1)).value, 6)
    1.0
    """
    return MeasureValue(float(pair.cosines.mean().clamp(-1, 1)), None, pair.n)


MEASURES["cosine"] = Measure(
    label="Mean cosine",
    function=mean_cosine,
    summary="angle between the two vectors of a sample",
    source="2209.15430",
    invariances=SCALE,
    low=-1.0,
    high=1.0,
    compares_vectors=True,
)


def _harmonic(n: int) -> float:
    """Sum of the reciprocal ranks 1 to n."""
    return sum(1 / rank for rank in range(1, n + 1))
