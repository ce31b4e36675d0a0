"""Centred kernel alignment, from moments: never an n x n matrix."""

from __future__ import annotations

from torch import Tensor

from relviz.core.measures.pair import Pair
from relviz.types import MeasureValue


def linear_cka(pair: Pair) -> MeasureValue:
    """Linear centred kernel alignment, biased estimator, in [0, 1].

    ||Y_c'X_c||^2 / (||X_c'X_c|| ||Y_c'Y_c||), Frobenius norms. Invariant to orthogonal maps, isotropic scale and
    translation. Inflated when the widths are comparable to n. Source: Kornblith et al. 2019 (1905.00414).

    >>> import torch
    >>> linear_cka(Pair(torch.eye(4), 3 * torch.eye(4), k=1)).value
    1.0
    """
    m = pair.moments
    return _ratio(m.xy.square().sum(), m.xx.square().sum(), m.yy.square().sum(), m.n, floor=0.0)


def linear_cka_debiased(pair: Pair) -> MeasureValue:
    """Linear CKA from the unbiased estimator of HSIC, in [-1, 1]; unrelated spaces give 0 on average.

    The Gram matrices' diagonals are taken out of every sum (Song et al. 2012, HSIC_1), here in feature space.
    Needs 4 samples. Source: Nguyen et al. 2021 (2010.15327).

    >>> import torch
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
