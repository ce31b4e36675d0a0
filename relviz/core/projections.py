"""Projections: from an absolute to a relative space, given anchors.

Every projection takes samples (`n x d`) and anchors (`k x d`) of one space and gives `n x k`: one column per anchor, in
their order. With `centred` both are first moved so that the anchors' mean is the origin, which makes every projection
invariant to translation. A new one is one function and one entry in `PROJECTIONS`.

All of them refuse values that are not finite, compute half precision in single, and compute values so large or so small
that their squares leave the precision's range in double, so that no NaN or infinity comes out. Anchors need not be rows
of the samples' gallery: vectors of another data set, encoded by the same model, serve as well (out-of-domain anchors).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core import distances
from relviz.core import projection_kernels as kernels
from relviz.core.options import check_options
from relviz.core.projection_kernels import related
from relviz.core.registry import Entry, Option
from relviz.core.rounding import is_short
from relviz.errors import BadChoice, UnknownName


def cosine(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Cosine similarity of every sample to every anchor, in [-1, 1].

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` (both sides minus
    the anchors' mean) to translation as well. A zero vector has similarity 0 to everything.
    Source: 2209.15430, section 3; centring on the anchors as in latentis.

    Parameters
    ----------
    x: absolute vectors.
    anchors: absolute vectors of the anchors, in the same space.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> x = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> cosine(x, x).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    precise = not centred and kernels.crowded(anchors)
    return related(x, anchors, kernels.cosine, centred=centred, precise=precise)


def angular(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Angle between every sample and every anchor in units of pi, arccos(cosine) / pi, in [0, 1].

    Invariant as `cosine`. A zero vector is at right angles to everything, 0.5. By way of
    float64, as near 0 and 1 single precision would leave about 1e-4. Source: latentis, `angular_proj`.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> angular(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])).tolist()
    [[0.0, 0.5, 1.0]]
    """
    return related(x, anchors, kernels.angular, centred=centred, precise=True)


def euclidean(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Euclidean distance of every sample to every anchor, 0 or more, in units of the space.

    Invariant to rotation, reflection, permutation of features and translation (`centred` changes nothing); scales with
    the space. Source: 2310.01211.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> euclidean(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[5.0]]
    """
    return related(x, anchors, kernels.measured(distances.euclidean), centred=False, degree=1)


def l1(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """L1 distance, the sum of absolute differences, of every sample to every anchor, 0 or more.

    Invariant to permutation of features and translation (`centred` changes nothing), not to rotation.
    Source: 2310.01211.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> l1(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[7.0]]
    """
    return related(x, anchors, kernels.measured(distances.manhattan), centred=False, degree=1)


def linf(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """L-infinity distance, the largest absolute difference, of every sample to every anchor, 0 or more.

    Invariant to permutation of features and translation (`centred` changes nothing), not to rotation.
    Source: 2310.01211.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> linf(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[4.0]]
    """
    return related(x, anchors, kernels.measured(distances.chebyshev), centred=False, degree=1)


def inner(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Inner product of every sample with every anchor over sqrt(d), which keeps its size from growing with the width.

    Invariant to rotation, reflection and permutation of features; with `centred` to translation as well. Scales with
    the square of the space. Source: the code of 2209.15430, its projection without normalisation.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> inner(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.ones(1, 4)).tolist()
    [[5.0]]
    """
    return related(x, anchors, kernels.inner, centred=centred, precise=True, degree=2)


def change_of_basis(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False
) -> Float[Tensor, "n k"]:
    """Coefficients c of every sample in the anchors: the shortest c that minimises |c anchors - x|.

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` to translation as
    well. Where the anchors span the whole space (rank d), also to every invertible linear map. By a singular value
    decomposition in float64; singular values below max(k, d) times the precision of the anchors, relative to the
    largest, count as zero, so any rank is allowed. That precision is float32's (1.2e-7) where float32 holds every value
    of the anchors, whatever their type: thinner directions are an encoder's rounding and would weigh as much as real
    ones. Source: the code of 2209.15430; latentis, `change_of_basis_proj`.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> change_of_basis(torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])).round(decimals=4).tolist()
    [[-1.0, 3.0]]
    """
    eps = torch.finfo(torch.float32 if is_short(anchors) else torch.float64).eps
    return related(x, anchors, partial(kernels.change_of_basis, eps=eps), centred=centred, precise=True)


def standardised_cosine(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False
) -> Float[Tensor, "n k"]:
    """Cosine similarities, each anchor's column standardised: minus its mean, divided by its standard deviation.

    The statistics of a column are those of its anchor's similarities to the other anchors (not to itself, which is
    always 1), so a coordinate depends on one sample and the anchors alone, never on the other samples. It takes out
    that some anchors lie near everything. A column that does not vary is only shifted. Invariant as `cosine`.
    Source: relviz, after the normalisation of columns common in cross-modal retrieval.

    Raises
    ------
    BadChoice: as `cosine`.

    >>> anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> standardised_cosine(anchors[:1], anchors).tolist()
    [[3.0, 0.0, -1.0]]
    """
    return related(x, anchors, kernels.standardised_cosine, centred=centred, precise=True)


def geodesic(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False, neighbours: int = 10
) -> Float[Tensor, "n k"]:
    """Length of the shortest path from every sample to every anchor along the neighbour graph, 0 or more.

    The graph joins each of the n + k vectors to its nearest others by Euclidean distance, in both directions; so unlike
    all other projections a coordinate depends on the other samples given. An anchor in another component is as far as
    the longest distance, along the graph or straight, in the result. Invariant as `euclidean`. One Dijkstra search per
    anchor, so slow for many. Source: distances as in Isomap (Tenenbaum et al. 2000), here to anchors.

    Parameters
    ----------
    neighbours: edges from each vector, 1 or more; all others where there are fewer.

    Raises
    ------
    BadChoice: as `cosine`, or no neighbours.

    >>> line = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    >>> geodesic(line, torch.tensor([[-2.0, 0.0]]), neighbours=1).tolist()
    [[2.0], [5.0], [9.0]]
    """
    if neighbours < 1:
        raise BadChoice(f"{neighbours} neighbours are too few.", "Choose at least 1.")

    def kernel(points: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda rows: distances.shortest_paths(rows, points, neighbours=neighbours)

    return related(x, anchors, kernel, centred=False, degree=1, whole=True)


def layer_norm(x: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Post-normalisation: every row with mean 0 and variance 1; a constant row becomes zeros.

    What relative coordinates go through before a head reads them, as in every trained model of 2209.15430. It takes out
    the offset and spread that differ between encoders: a network that ends in averages of rectified values has all its
    cosines near 1.

    >>> layer_norm(torch.tensor([[1.0, 3.0], [2.0, 2.0]])).round().tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    return torch.nn.functional.layer_norm(x, x.shape[1:])


@dataclass(frozen=True, kw_only=True)
class Projection(Entry[Callable[..., Tensor]]):
    """One registered projection; its invariances are those without centring.

    Attributes
    ----------
    low, high: the range of its values; None where open.
    similarity: whether a larger value means nearer; otherwise it is a distance or a coefficient.
    pointwise: whether a coordinate depends on its sample and the anchors alone.
    """

    low: float | None
    high: float | None
    similarity: bool = False
    pointwise: bool = True

    def invariant_to(self, *, centred: bool) -> frozenset[str]:
        """Transformations that leave its result unchanged, with or without centring on the anchors."""
        return self.invariances | {"translation"} if centred else self.invariances


_CENTRED = Option("centred", False, "subtract the anchors' mean from samples and anchors first")
_RIGID = frozenset({"orthogonal", "permutation"})
_CONFORMAL = _RIGID | {"isotropic scale"}

PROJECTIONS: dict[str, Projection] = {
    "cosine": Projection(
        label="Cosine",
        function=cosine,
        summary="angle to each anchor, as similarity",
        source="2209.15430",
        invariances=_CONFORMAL,
        options=(_CENTRED,),
        low=-1.0,
        high=1.0,
        similarity=True,
    ),
    "angular": Projection(
        label="Angular",
        function=angular,
        summary="angle to each anchor, in units of pi",
        source="latentis",
        invariances=_CONFORMAL,
        options=(_CENTRED,),
        low=0.0,
        high=1.0,
    ),
    "euclidean": Projection(
        label="Euclidean",
        function=euclidean,
        summary="straight distance to each anchor",
        source="2310.01211",
        invariances=_RIGID | {"translation"},
        options=(_CENTRED,),
        low=0.0,
        high=None,
    ),
    "l1": Projection(
        label="L1",
        function=l1,
        summary="sum of the features' distances to each anchor",
        source="2310.01211",
        invariances=frozenset({"translation", "permutation"}),
        options=(_CENTRED,),
        low=0.0,
        high=None,
    ),
    "linf": Projection(
        label="L-infinity",
        function=linf,
        summary="largest of the features' distances to each anchor",
        source="2310.01211",
        invariances=frozenset({"translation", "permutation"}),
        options=(_CENTRED,),
        low=0.0,
        high=None,
    ),
    "inner": Projection(
        label="Inner product",
        function=inner,
        summary="inner product with each anchor over the root of the width",
        source="2209.15430",
        invariances=_RIGID,
        options=(_CENTRED,),
        low=None,
        high=None,
        similarity=True,
    ),
    "basis": Projection(
        label="Change of basis",
        function=change_of_basis,
        summary="least squares coefficients in the anchors",
        source="2209.15430",
        invariances=_CONFORMAL,
        options=(_CENTRED,),
        low=None,
        high=None,
    ),
    "geodesic": Projection(
        label="Geodesic",
        function=geodesic,
        summary="shortest path to each anchor along the neighbour graph",
        source="Tenenbaum et al. 2000",
        invariances=_RIGID | {"translation"},
        options=(_CENTRED, Option("neighbours", 10, "edges from each vector", low=1.0, high=100.0)),
        low=0.0,
        high=None,
        pointwise=False,
    ),
    "cosine-standardised": Projection(
        label="Cosine, standardised",
        function=standardised_cosine,
        summary="cosine, each anchor's column in its own standard deviations",
        source="relviz",
        invariances=_CONFORMAL,
        options=(_CENTRED,),
        low=None,
        high=None,
        similarity=True,
    ),
}


def project(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k e"], *, name: str, centred: bool = False, **options: Any
) -> Float[Tensor, "n k"]:
    """Samples in the relative space of a named projection.

    Parameters
    ----------
    x, anchors: absolute vectors of one space, so d = e.
    name: a key of `PROJECTIONS`.
    centred: whether to subtract the anchors' mean from both sides first.
    options: further keywords that the projection declares.

    Raises
    ------
    UnknownName: no such projection, or no such option of it.
    BadChoice: values that are not finite, no anchors, unlike widths, or an option out of range.

    >>> project(torch.tensor([[3.0, 4.0]]), torch.eye(2), name="cosine").round(decimals=4).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    if name not in PROJECTIONS:
        raise UnknownName("projection", name, PROJECTIONS)
    entry = PROJECTIONS[name]
    check_options(entry, options)
    return entry.function(x, anchors, centred=centred, **options)
