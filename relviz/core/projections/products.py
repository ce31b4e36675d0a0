"""Inner products with the anchors, and coefficients in them."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.projections import kernels
from relviz.core.projections.entry import CONFORMAL, PROJECTIONS, RIGID, Projection
from relviz.core.projections.kernels import related
from relviz.core.rounding import is_short


def inner(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Inner product of every sample with every anchor over sqrt(d), which keeps its size from growing with the width.

    Invariant to rotation, reflection and permutation of features; with `centred` to translation as well. Finite, of any
    size: it scales with the square of the space. Source: the code of 2209.15430, its projection without normalisation.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> inner(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.ones(1, 4)).tolist()
    [[5.0]]
    """
    return related(x, anchors, kernels.inner, centred=centred, precise=True, degree=2)


PROJECTIONS["inner"] = Projection(
    label="Inner product",
    function=inner,
    summary="inner product with each anchor over the root of the width",
    source="2209.15430",
    invariances=RIGID,
    low=None,
    high=None,
    similarity=True,
)


def change_of_basis(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False
) -> Float[Tensor, "n k"]:
    """Coefficients c of every sample in the anchors: the shortest c that minimises |c anchors - x|.

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` to translation as
    well. Where the anchors span the whole space (rank d), also to every invertible linear map. By a singular value
    decomposition in float64; singular values below max(k, d) times the precision of the anchors, relative to the
    largest, count as zero, so any rank is allowed and coefficients are finite, of any size. That precision is float32's
    (1.2e-7) where float32 holds every value of the anchors, whatever their type: thinner directions are an encoder's
    rounding and would weigh as much as real ones. Source: the code of 2209.15430; latentis, `change_of_basis_proj`.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> change_of_basis(torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])).round(decimals=4).tolist()
    [[-1.0, 3.0]]
    """
    eps = torch.finfo(torch.float32 if is_short(anchors) else torch.float64).eps
    return related(x, anchors, partial(kernels.change_of_basis, eps=eps), centred=centred, precise=True)


PROJECTIONS["basis"] = Projection(
    label="Change of basis",
    function=change_of_basis,
    summary="least squares coefficients in the anchors",
    source="2209.15430",
    invariances=CONFORMAL,
    low=None,
    high=None,
)
