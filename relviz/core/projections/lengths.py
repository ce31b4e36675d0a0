"""Distances to the anchors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from relviz.core import distances
from relviz.core.projections import kernels
from relviz.core.projections.entry import PROJECTIONS, RIGID, Projection
from relviz.core.projections.kernels import related


def euclidean(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Euclidean distance of every sample to every anchor, 0 or more, in units of the space.

    Invariant to rotation, reflection, permutation of features and translation (`centred` changes nothing); scales with
    the space. Source: 2310.01211.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> euclidean(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[5.0]]
    """
    return related(x, anchors, distances.euclidean_to, centred=False, degree=1)


PROJECTIONS["euclidean"] = Projection(
    label="Euclidean",
    function=euclidean,
    summary="straight distance to each anchor",
    source="2310.01211",
    invariances=RIGID | {"translation"},
    low=0.0,
    high=None,
)


def l1(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """L1 distance, the sum of absolute differences, of every sample to every anchor, 0 or more.

    Invariant to permutation of features and translation (`centred` changes nothing), not to rotation.
    Source: 2310.01211.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> l1(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[7.0]]
    """
    return related(x, anchors, kernels.measured(distances.manhattan), centred=False, degree=1)


PROJECTIONS["l1"] = Projection(
    label="L1",
    function=l1,
    summary="sum of the features' distances to each anchor",
    source="2310.01211",
    invariances=frozenset({"translation", "permutation"}),
    low=0.0,
    high=None,
)


def linf(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """L-infinity distance, the largest absolute difference, of every sample to every anchor, 0 or more.

    Invariant to permutation of features and translation (`centred` changes nothing), not to rotation.
    Source: 2310.01211.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> linf(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[4.0]]
    """
    return related(x, anchors, kernels.measured(distances.chebyshev), centred=False, degree=1)


PROJECTIONS["linf"] = Projection(
    label="L-infinity",
    function=linf,
    summary="largest of the features' distances to each anchor",
    source="2310.01211",
    invariances=frozenset({"translation", "permutation"}),
    low=0.0,
    high=None,
)
