"""Centred kernel alignment, from moments or from sums over kernel blocks: never an n x n matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from relviz.core.measures.measure import CLOUD, MEASURES, Measure
from relviz.core.measures.pair import Pair
from relviz.core.registry import Option
from relviz.types import MeasureValue

_KERNEL = (
    "The kernel's width is that share of the median distance between rows that differ, each space's own, on all rows "
    "or on 2,000 drawn with a fixed seed; of an even count of distances the lower of the two in the middle."
)
_BANDWIDTH = Option("bandwidth", 1.0, "kernel width as a share of the median distance", low=0.01, high=100.0)


def linear_cka(pair: Pair) -> MeasureValue:
    """Linear centred kernel alignment, biased estimator, in [0, 1].

    ||Y_c'X_c||^2 / (||X_c'X_c|| ||Y_c'Y_c||), Frobenius norms. Invariant to orthogonal maps, isotropic scale and
    translation. Inflated when the widths are comparable to n. Source: Kornblith et al. 2019 (1905.00414).

    Raises
    ------
    BadChoice: the products of both widths would not fit into `settings.MOMENTS` bytes.

    >>> import torch
    >>> linear_cka(Pair(torch.eye(4), 3 * torch.eye(4), k=1)).value
    1.0
    """
    m = pair.moments
    return _ratio(m.xy.square().sum(), m.xx.square().sum(), m.yy.square().sum(), m.n, low=0.0)


MEASURES["cka"] = Measure(
    label="CKA, linear",
    function=linear_cka,
    summary="shape of the two clouds, up to rotation and scale",
    source="1905.00414",
    invariances=CLOUD,
    low=0.0,
    high=1.0,
)


def linear_cka_debiased(pair: Pair) -> MeasureValue:
    """Linear CKA from the unbiased estimator of HSIC, in [-1, 1]; unrelated spaces give 0 on average.

    The Gram matrices' diagonals are taken out of every sum (Song et al. 2012, HSIC_1), here in feature space.
    Needs 4 samples. Source: Nguyen et al. 2021 (2010.15327).

    Raises
    ------
    BadChoice: the products of both widths would not fit into `settings.MOMENTS` bytes.

    >>> import torch
    >>> round(linear_cka_debiased(Pair(torch.arange(5.0)[:, None], 3 * torch.arange(5.0)[:, None], k=1)).value, 6)
    1.0
    """
    if pair.n < 4:
        return MeasureValue.because(_FEW, pair.n)
    m = pair.precise_moments  # what is left of its sums may be far smaller than they are
    trace_x, trace_y, rounding = m.xx.trace(), m.yy.trace(), 16 * torch.finfo(torch.float64).eps
    return _ratio(
        _unbiased_hsic(m.xy, trace_x, trace_y, m.norms_xy, m.n),
        _unbiased_hsic(m.xx, trace_x, trace_x, m.norms_xx, m.n),
        _unbiased_hsic(m.yy, trace_y, trace_y, m.norms_yy, m.n),
        m.n,
        low=-1.0,
        noise=(rounding * float(m.xx.square().sum()), rounding * float(m.yy.square().sum())),
    )


MEASURES["cka-debiased"] = Measure(
    label="CKA, linear, debiased",
    function=linear_cka_debiased,
    summary="as CKA, without its inflation at few samples",
    source="2010.15327",
    invariances=CLOUD,
    low=-1.0,
    high=1.0,
)


def rbf_cka(pair: Pair, *, bandwidth: float = 1.0) -> MeasureValue:
    """CKA of Gaussian kernels exp(-|x - x'|^2 / (2 s^2)), biased estimator, in [0, 1].

    s is `bandwidth` times the median distance between rows that differ (of an even count the lower of the two in the
    middle), each space's own, on at most 2,000 rows drawn with a fixed seed. Sees neighbourhoods
    where linear CKA sees the widest directions. Quadratic in n, in blocks. Invariant to orthogonal maps, isotropic
    scale and translation. Source: Kornblith et al. 2019 (1905.00414), whose bandwidths are such shares; a share of 1 is
    that of latentis.

    Parameters
    ----------
    bandwidth: above 0.

    Raises nothing: samples that are all alike make it undefined.

    >>> import torch
    >>> round(rbf_cka(Pair(torch.arange(4.0)[:, None], 3 * torch.arange(4.0)[:, None], k=1)).value, 6)
    1.0
    """
    sums = pair.kernels(bandwidth)
    if sums is None:
        return MeasureValue.because(_ALIKE, pair.n)
    hsic = sums.biased()
    return _ratio(hsic[0, 1], hsic[0, 0], hsic[1, 1], pair.n, low=0.0)


MEASURES["cka-rbf"] = Measure(
    label="CKA, RBF",
    function=rbf_cka,
    summary="as CKA, by nearness instead of inner products",
    source="1905.00414",
    detail=_KERNEL,
    invariances=CLOUD,
    options=(_BANDWIDTH,),
    low=0.0,
    high=1.0,
)


def rbf_cka_debiased(pair: Pair, *, bandwidth: float = 1.0) -> MeasureValue:
    """CKA of Gaussian kernels, from the unbiased estimator of HSIC, in [-1, 1]; unrelated spaces give 0 on average.

    The kernels are exp(-|x - x'|^2 / (2 s^2)), s being `bandwidth` times the median distance between rows that differ,
    each space's own, on at most 2,000 rows drawn with a fixed seed. Quadratic in n, in blocks. Invariant to orthogonal
    maps, isotropic scale and translation. Needs 4 samples. Source: Nguyen et al. 2021 (2010.15327), for the kernel of
    1905.00414.

    Parameters
    ----------
    bandwidth: as a share of the median distance, above 0.

    Raises nothing: too few samples, or samples that are all alike, make it undefined.

    >>> import torch
    >>> round(rbf_cka_debiased(Pair(torch.arange(5.0)[:, None], 3 * torch.arange(5.0)[:, None], k=1)).value, 6)
    1.0
    """
    if pair.n < 4:
        return MeasureValue.because(_FEW, pair.n)
    sums = pair.kernels(bandwidth)
    if sums is None:
        return MeasureValue.because(_ALIKE, pair.n)
    hsic, noise = sums.unbiased(), (64 * pair.n * torch.finfo(torch.float64).eps) ** 2  # of n^2 entries near 1
    return _ratio(hsic[0, 1], hsic[0, 0], hsic[1, 1], pair.n, low=-1.0, noise=(noise, noise))


MEASURES["cka-rbf-debiased"] = Measure(
    label="CKA, RBF, debiased",
    function=rbf_cka_debiased,
    summary="as RBF CKA, without its inflation at few samples",
    source="2010.15327",
    detail=_KERNEL,
    invariances=CLOUD,
    options=(_BANDWIDTH,),
    low=-1.0,
    high=1.0,
)


_FEW = "debiasing needs at least 4 samples"
_ALIKE = "the rows drawn for the bandwidth are all alike in a space"


def _unbiased_hsic(cross: Tensor, trace_x: Tensor, trace_y: Tensor, norms: float, n: int) -> Tensor:
    """Unbiased HSIC times n (n - 3), from centred moments: row sums of centred Gram matrices vanish."""
    return cross.square().sum() - norms * n / (n - 2) + trace_x * trace_y / ((n - 1) * (n - 2))


def _ratio(
    cross: Tensor, own_x: Tensor, own_y: Tensor, n: int, *, low: float, noise: tuple[float, float] = (0.0, 0.0)
) -> MeasureValue:
    if not (float(own_x) > noise[0] and float(own_y) > noise[1]):
        return MeasureValue.because("in a space all samples are equally far from each other, as far as can be told", n)
    return MeasureValue(min(1.0, max(low, float(cross / (own_x * own_y).sqrt()))), None, n)
