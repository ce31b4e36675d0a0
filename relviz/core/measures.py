"""Measures: two spaces over the same samples in, one number with a stated range out.

Every measure takes a `Pair`, which computes the passes that several measures share only once. A new one is one
function and one line in `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.moments import Moments, moments
from relviz.core.neighbours import score_blocks, shared_count, unit_rows
from relviz.errors import BadChoice
from relviz.types import MeasureValue


class Pair:
    """Spaces A (`n x d`) and B (`n x e`) over the same n samples, with the passes over them that measures share.

    Parameters
    ----------
    k: neighbours of the retrieval measures, 1 to n - 1.

    Raises
    ------
    BadChoice: unlike numbers of rows, or k out of range.
    """

    def __init__(self, a: Float[Tensor, "n d"], b: Float[Tensor, "m e"], *, k: int) -> None:
        if len(a) != len(b):
            raise BadChoice(f"The two spaces hold {len(a)} and {len(b)} samples.", "Measure both on the same samples.")
        if not 1 <= k < len(a):
            raise BadChoice(
                f"k = {k} is not between 1 and {len(a) - 1}, one less than the samples.", "Choose another k."
            )
        self.a, self.b, self.k, self.n = a, b, k, len(a)

    @cached_property
    def moments(self) -> Moments:
        """First and second moments."""
        return moments(self.a, self.b)

    @cached_property
    def unit(self) -> tuple[Tensor, Tensor]:
        """Both spaces with rows of length one."""
        return unit_rows(self.a), unit_rows(self.b)

    @cached_property
    def retrieval(self) -> tuple[Tensor, Tensor]:
        """Jaccard index and reciprocal rank of every sample, searching B with A's vectors."""
        a, b = self.unit
        found = [_retrieve(start, scores, b, self.k) for start, scores in score_blocks(a, b)]
        jaccard, reciprocal_rank = (torch.cat(parts) for parts in zip(*found, strict=True))
        return jaccard, reciprocal_rank

    @property
    def incomparable(self) -> str | None:
        """Why vectors of A cannot be compared with vectors of B, if so."""
        d, e = self.a.shape[1], self.b.shape[1]
        return None if d == e else f"the widths differ ({d} and {e}), so no vector of A can be compared with one of B"

    @cached_property
    def unusable(self) -> str | None:
        """Why no measure can be computed, if so."""
        finite = bool(torch.isfinite(self.a).all() and torch.isfinite(self.b).all())
        return None if finite else "a space holds values that are not finite"


def _retrieve(start: int, scores: Tensor, b: Tensor, k: int) -> tuple[Tensor, Tensor]:
    rows = torch.arange(len(scores))
    found = scores.topk(k, dim=1).indices
    target = (b[start : start + len(scores)] @ b.T).topk(k, dim=1).indices
    shared = shared_count(found, target).double()
    own = scores[rows, start + rows, None]
    earlier = torch.arange(scores.shape[1]) < (start + rows)[:, None]  # equal scores: the earlier row is the nearer
    rank = 1 + ((scores > own) | ((scores == own) & earlier)).sum(1)
    return shared / (2 * k - shared), torch.where(rank <= k, 1 / rank.double(), 0.0)


def linear_cka(pair: Pair) -> MeasureValue:
    """Linear centred kernel alignment, biased estimator, in [0, 1].

    ||Y_c'X_c||^2 / (||X_c'X_c|| ||Y_c'Y_c||), Frobenius norms. Invariant to orthogonal maps, isotropic scale and
    translation. Inflated when the widths are comparable to n. Source: Kornblith et al. 2019 (1905.00414).

    >>> linear_cka(Pair(torch.eye(4), 3 * torch.eye(4), k=1)).value
    1.0
    """
    m = pair.moments
    return _ratio(m.xy.square().sum(), m.xx.square().sum(), m.yy.square().sum(), m.n, floor=0.0)


def linear_cka_debiased(pair: Pair) -> MeasureValue:
    """Linear CKA from the unbiased estimator of HSIC, in [-1, 1]; unrelated spaces give 0 on average.

    The Gram matrices' diagonals are taken out of every sum (Song et al. 2012, HSIC_1), here in feature space.
    Needs 4 samples. Source: Nguyen et al. 2021 (2010.15327).

    >>> linear_cka_debiased(Pair(torch.eye(5), torch.eye(5), k=1)).value
    1.0
    """
    m = pair.moments
    if m.n < 4:
        return MeasureValue.because("debiasing needs at least 4 samples", m.n)
    trace_x, trace_y = m.xx.trace(), m.yy.trace()
    return _ratio(
        _unbiased_hsic(m.xy, trace_x, trace_y, m.norms_xy, m.n),
        _unbiased_hsic(m.xx, trace_x, trace_x, m.norms_xx, m.n),
        _unbiased_hsic(m.yy, trace_y, trace_y, m.norms_yy, m.n),
        m.n,
        floor=-1.0,
    )


def _unbiased_hsic(cross: Tensor, trace_x: Tensor, trace_y: Tensor, norms: float, n: int) -> Tensor:
    """Unbiased HSIC times n (n - 3), from centred moments: row sums of centred Gram matrices vanish."""
    return cross.square().sum() - norms * n / (n - 2) + trace_x * trace_y / ((n - 1) * (n - 2))


def _ratio(cross: Tensor, own_x: Tensor, own_y: Tensor, n: int, *, floor: float) -> MeasureValue:
    scale = float((own_x.clamp_min(0) * own_y.clamp_min(0)).sqrt())
    if not scale > 0:
        return MeasureValue.because("a space does not vary over the samples", n)
    return MeasureValue(min(1.0, max(floor, float(cross) / scale)), None, n)


def jaccard(pair: Pair) -> MeasureValue:
    """Jaccard@k from A to B, in [0, 1]: mean overlap of two neighbour lists in B, by cosine.

    One list holds the k rows of B nearest to the sample's vector in A, the other those nearest to its vector in B, the
    sample itself included; overlap is intersection over union. Needs equal widths. Source: 2209.15430, its retrieval
    evaluation.

    >>> jaccard(Pair(torch.eye(4), torch.eye(4), k=1)).value
    1.0
    """
    k, n = pair.k, pair.n
    expected = k * k / n  # shared entries of two random lists
    return MeasureValue(float(pair.retrieval[0].mean()), None, n, chance=expected / (2 * k - expected))


def mrr(pair: Pair) -> MeasureValue:
    """MRR@k from A to B, in [0, 1]: mean reciprocal rank of the sample itself.

    Its rank counts among the k rows of B nearest to its vector in A by cosine; 0 where it is not among them. Needs
    equal widths. Source: 2209.15430, its retrieval evaluation.

    >>> mrr(Pair(torch.eye(4), torch.eye(4), k=1)).value
    1.0
    """
    chance = sum(1 / rank for rank in range(1, pair.k + 1)) / pair.n
    return MeasureValue(float(pair.retrieval[1].mean()), None, pair.n, chance=chance)


def mean_cosine(pair: Pair) -> MeasureValue:
    """Mean cosine similarity of the two vectors of each sample, in [-1, 1]. Needs equal widths. Source: 2209.15430.

    >>> round(mean_cosine(Pair(torch.eye(3), torch.eye(3), k=1)).value, 6)
    1.0
    """
    a, b = pair.unit
    return MeasureValue(float((a.double() * b.double()).sum(1).mean().clamp(-1, 1)), None, pair.n)


@dataclass(frozen=True)
class Measure:
    """One registered measure.

    Attributes
    ----------
    label: how a page calls it; `{k}` stands for the number of neighbours.
    low, high: the range of its values.
    compares_vectors: whether it needs both spaces to have one width.
    directed: whether A to B differs from B to A.
    """

    function: Callable[[Pair], MeasureValue]
    label: str
    summary: str
    source: str
    low: float
    high: float
    compares_vectors: bool
    directed: bool

    def __call__(self, pair: Pair) -> MeasureValue:
        """Value on a pair, undefined where the measure does not apply."""
        reason = pair.unusable or (pair.incomparable if self.compares_vectors else None)
        return MeasureValue.because(reason, pair.n) if reason else self.function(pair)


MEASURES: dict[str, Measure] = {
    "cka": Measure(
        linear_cka,
        "CKA, linear",
        "shape of the two clouds, up to rotation and scale",
        "1905.00414",
        0.0,
        1.0,
        False,
        False,
    ),
    "cka-debiased": Measure(
        linear_cka_debiased,
        "CKA, linear, debiased",
        "as CKA, without its inflation at few samples",
        "2010.15327",
        -1.0,
        1.0,
        False,
        False,
    ),
    "jaccard": Measure(
        jaccard, "Jaccard@{k}", "shared neighbours when A's vectors search B", "2209.15430", 0.0, 1.0, True, True
    ),
    "mrr": Measure(
        mrr, "MRR@{k}", "how near A's vector lands to the same sample in B", "2209.15430", 0.0, 1.0, True, True
    ),
    "cosine": Measure(
        mean_cosine, "Mean cosine", "angle between the two vectors of a sample", "2209.15430", -1.0, 1.0, True, False
    ),
}


def measure_all(a: Float[Tensor, "n d"], b: Float[Tensor, "m e"], *, k: int) -> dict[str, MeasureValue]:
    """Every registered measure on one pair of spaces, sharing passes.

    Raises
    ------
    BadChoice: unlike numbers of rows, or k not below n.

    >>> sorted(measure_all(torch.eye(5), torch.eye(5), k=2)) == sorted(MEASURES)
    True
    """
    pair = Pair(a, b, k=k)
    return {name: measure(pair) for name, measure in MEASURES.items()}
