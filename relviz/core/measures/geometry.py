"""Measures of the shape of two clouds: orthogonal Procrustes distance and correlation of distances."""

from __future__ import annotations

import torch
from torch import Tensor

from relviz.core.measures.measure import CLOUD, MEASURES, Measure
from relviz.core.measures.pair import Pair
from relviz.core.measures.space import sample_rows
from relviz.types import MeasureValue


def procrustes(pair: Pair) -> MeasureValue:
    """Orthogonal Procrustes distance of the two clouds, in [0, 1]; 0 is the same shape, so less is more alike.

    1 - ||X_c'Y_c||_* / (||X_c|| ||Y_c||), nuclear norm over Frobenius norms: half the least |X - Y R|^2 over orthogonal
    R once both clouds are centred and of Frobenius norm one; the narrower space counts as padded with zeros. The
    paper's distance is not halved and ends at 2. Invariant to orthogonal maps, isotropic scale and translation.
    Source: Ding et al. 2021 (2108.01661), halved.

    Raises
    ------
    BadChoice: the products of both widths would not fit into `settings.MOMENTS` bytes.

    >>> import torch
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]], dtype=torch.float64)
    >>> round(procrustes(Pair(x, 3 * x.flip(1), k=1)).value, 12)
    0.0
    """
    m = pair.precise_moments
    scale = float((m.xx.trace().clamp_min(0) * m.yy.trace().clamp_min(0)).sqrt())
    if not scale > 0:
        return MeasureValue.because("a space does not vary over the samples", pair.n)
    shared = float(torch.linalg.svdvals(m.xy).sum())
    return MeasureValue(min(1.0, max(0.0, 1 - shared / scale)), None, pair.n)


MEASURES["procrustes"] = Measure(
    label="Procrustes distance",
    function=procrustes,
    summary="what is left between the clouds after the best rotation; 0 is the same",
    source="2108.01661",
    detail="Both clouds are centred and brought to Frobenius norm one, the narrower padded with zeros; the "
    "value is half the least squared distance over orthogonal maps, 1 - the nuclear norm of X'Y. The paper's is "
    "not halved and ends at 2.",
    invariances=CLOUD,
    low=0.0,
    high=1.0,
    higher_is_alike=False,
)


def rsa(pair: Pair) -> MeasureValue:
    """Representational similarity analysis: Spearman correlation of the two spaces' distances, in [-1, 1].

    Over all pairs of rows, distances Euclidean in both spaces; equal distances share a mean rank. Quadratic in n, so
    above 2,000 samples it is of 2,000 rows drawn with a fixed seed, and `n` of the value says so. Invariant to
    orthogonal maps, isotropic scale and translation. Source: Kriegeskorte et al. 2008
    (10.3389/neuro.06.004.2008).

    Raises nothing: distances that are all equal make it undefined.

    >>> import torch
    >>> x = torch.tensor([[0.0], [1.0], [3.0]])
    >>> round(rsa(Pair(x, 5 - x, k=1)).value, 12)
    1.0
    """
    n = len(sample_rows(pair.n))
    a, b = (ranks.double() - ranks.mean(dtype=torch.float64) for ranks in _ranks(pair))
    scale = float(a.norm() * b.norm())
    if not scale > 0:
        return MeasureValue.because("all distances between samples are equal in a space", n)
    return MeasureValue(min(1.0, max(-1.0, float(a @ b) / scale)), None, n)


MEASURES["rsa"] = Measure(
    label="RSA",
    function=rsa,
    summary="rank correlation of the distances between samples",
    source="Kriegeskorte et al. 2008",
    detail="Distances are Euclidean in both spaces, over all pairs of rows (of 2,000 drawn with a fixed seed, "
    "where there are more), and compared by Spearman's rank correlation; equal ones share their mean rank.",
    invariances=CLOUD,
    low=-1.0,
    high=1.0,
)


def _ranks(pair: Pair) -> tuple[Tensor, Tensor]:
    return pair.space_a.distance_ranks, pair.space_b.distance_ranks
