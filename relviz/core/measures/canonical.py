"""Canonical correlations of two spaces and their summaries, from moments."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.measures.measure import CLOUD, MEASURES, Measure
from relviz.core.measures.pair import Pair
from relviz.core.registry import Option
from relviz.types import MeasureValue

_AXES = (
    "A principal axis counts where it is wider than rounding: above 8.4e-8 of the widest in standard deviation, and "
    "above what rounding the given values to float32 leaves. Undefined where the axes of a space reach n - 1, as then "
    "every correlation is 1, but for a space with itself; inflated before that."
)


def svcca(pair: Pair, *, keep: float = 0.99) -> MeasureValue:
    """Mean canonical correlation of the leading principal axes of both spaces, in [0, 1].

    Each space keeps the fewest principal axes that hold the share `keep` of its variance; the mean is over as many
    correlations as the space with fewer axes has. Invariant to orthogonal maps, isotropic scale and translation;
    to every invertible linear map only where all axes are kept. Inflated when the axes are comparable to n, and
    undefined where they reach n - 1, as then every other space fits; a space with itself is 1 even there. An axis
    counts where it is wider than rounding: above 8.4e-8 of the widest in standard deviation, and above what rounding
    the given values to float32 leaves. Source: Raghu et al. 2017 (1706.05806).

    Parameters
    ----------
    keep: share of the variance, above 0, at most 1.

    Raises
    ------
    BadChoice: the products of both widths would not fit into `settings.MOMENTS` bytes.

    >>> import torch
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0], [7.0, 3.0], [4.0, 4.0]])
    >>> round(svcca(Pair(x, 3 * x.flip(1), k=1)).value, 6)
    1.0
    """
    axes_a, axes_b = (_leading(axes, keep) for axes in _axes(pair))
    if reason := _unknown(pair, axes_a, axes_b):
        return MeasureValue.because(reason, pair.n)
    correlations = torch.linalg.svdvals(_whitened(pair, axes_a, axes_b)).clamp(0, 1)
    return MeasureValue(float(correlations.mean()), None, pair.n)


MEASURES["svcca"] = Measure(
    label="SVCCA",
    function=svcca,
    summary="correlation of the leading axes that fit each other best",
    source="1706.05806",
    detail="Each space keeps the fewest axes that hold the share `keep` of its variance; the mean is over as many "
    "correlations as the space with fewer axes has. " + _AXES,
    invariances=CLOUD,
    options=(Option("keep", 0.99, "share of each space's variance that is kept", low=0.01, high=1.0),),
    low=0.0,
    high=1.0,
)


def pwcca(pair: Pair) -> MeasureValue:
    """Canonical correlations weighted by how much of A each one accounts for, in [0, 1].

    A correlation's weight is the sum over A's features of |<h, x_j>|, h its unit canonical variable in A and x_j the
    centred feature. As these are absolute values, a rotation of A changes them: invariant to isotropic scale,
    translation and permutation of A's features, and to every invertible linear map of B. Weights of A: A to B differs
    from B to A. All axes of both spaces count that are wider than rounding: above 8.4e-8 of the
    widest in standard deviation, and above what rounding the given values to float32 leaves. Inflated when the widths
    are comparable to n, undefined where the axes reach n - 1, but for a space with itself, which is 1.
    Source: Morcos et al. 2018 (1806.05759).

    Raises
    ------
    BadChoice: the products of both widths would not fit into `settings.MOMENTS` bytes.

    >>> import torch
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0], [7.0, 3.0], [4.0, 4.0]])
    >>> round(pwcca(Pair(x, 3 * x.flip(1), k=1)).value, 6)
    1.0
    """
    axes_a, axes_b = _axes(pair)
    if reason := _unknown(pair, axes_a, axes_b):
        return MeasureValue.because(reason, pair.n)
    left, correlations, _ = torch.linalg.svd(_whitened(pair, axes_a, axes_b), full_matrices=False)
    variances, directions = axes_a
    basis = pair.space_a.narrow[1]
    features = directions if basis is None else basis.to(directions) @ directions
    weights = (left.T @ (variances.sqrt()[:, None] * features.T)).abs().sum(1)
    return MeasureValue(min(1.0, float((weights @ correlations.clamp(0, 1)) / weights.sum())), None, pair.n)


MEASURES["pwcca"] = Measure(
    label="PWCCA",
    function=pwcca,
    summary="correlation of best fitting axes, weighted by their part in A",
    source="1806.05759",
    detail="All axes of both spaces count. " + _AXES,
    invariances=CLOUD - {"orthogonal"},
    low=0.0,
    high=1.0,
    directed=True,
)


_Axes = tuple[Tensor, Tensor]  # variances and directions (columns) of principal axes


def _axes(pair: Pair) -> tuple[_Axes, _Axes]:
    m = pair.precise_moments
    return pair.space_a.axes(m.xx), pair.space_b.axes(m.yy)


def _leading(axes: _Axes, keep: float) -> _Axes:
    variances, directions = axes
    held = variances.cumsum(0)
    count = int((held < keep * held[-1:]).sum()) + 1
    return variances[:count], directions[:, :count]


def _whitened(pair: Pair, axes_a: _Axes, axes_b: _Axes) -> Float[Tensor, "p q"]:
    """Correlations of the whitened axes of A with those of B; its singular values are the canonical correlations."""
    (variances_a, directions_a), (variances_b, directions_b) = axes_a, axes_b
    cross = directions_a.T @ pair.precise_moments.xy @ directions_b
    return cross / variances_a.sqrt()[:, None] / variances_b.sqrt()


def _unknown(pair: Pair, axes_a: _Axes, axes_b: _Axes) -> str | None:
    """Why the canonical correlations say nothing, if so."""
    ranks = len(axes_a[0]), len(axes_b[0])
    if min(ranks) == 0:
        return "a space varies over the samples by no more than the rounding of its values"
    if max(ranks) < pair.n - 1 or pair.alike:
        return None
    return (
        f"a space spans {max(ranks)} dimensions on {pair.n} samples, so every canonical correlation is 1 whatever the "
        "other"
    )
