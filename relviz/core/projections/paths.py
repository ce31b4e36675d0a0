"""Paths to the anchors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from relviz.core import distances
from relviz.core.projections.entry import PROJECTIONS, RIGID, Projection
from relviz.core.projections.kernels import Relate, related
from relviz.core.registry import Option
from relviz.errors import BadChoice


def geodesic(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False, neighbours: int = 10
) -> Float[Tensor, "n k"]:
    """Length of the shortest path from every sample to every anchor along the neighbour graph, 0 or more.

    The graph joins each of the n + k vectors to its nearest others by Euclidean distance, in both directions; so unlike
    all other projections a coordinate depends on the other samples given. An anchor in another component is as far as
    the longest distance, along the graph or straight, in the result. Invariant to rotation, reflection, permutation of
    features and translation (`centred` changes nothing); scales with the space. One Dijkstra search per anchor, so slow
    for many. Source: distances as in Isomap (Tenenbaum et al. 2000), here to anchors.

    Parameters
    ----------
    neighbours: edges from each vector, 1 or more; all others where there are fewer.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, unlike widths, or no neighbours.

    >>> import torch
    >>> line = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    >>> geodesic(line, torch.tensor([[-2.0, 0.0]]), neighbours=1).tolist()
    [[2.0], [5.0], [9.0]]
    """
    if neighbours < 1:
        raise BadChoice(f"{neighbours} neighbours are too few.", "Choose at least 1.")

    def kernel(points: Tensor) -> Relate:
        return lambda rows, _: distances.shortest_paths(rows, points, neighbours=neighbours)

    return related(x, anchors, kernel, centred=False, degree=1, whole=True)


PROJECTIONS["geodesic"] = Projection(
    label="Geodesic",
    function=geodesic,
    summary="shortest path to each anchor along the neighbour graph",
    source="Tenenbaum et al. 2000",
    invariances=RIGID | {"translation"},
    options=(Option("neighbours", 10, "edges from each vector", low=1.0, high=100.0),),
    low=0.0,
    high=None,
    pointwise=False,
)
