"""Distances along the neighbour graph."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.blocks import by_blocks, rows_per_block
from relviz.core.distances.straight import euclidean
from relviz.core.neighbours import nearest_by_distance


def shortest_paths(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"], *, neighbours: int) -> Float[Tensor, "n k"]:
    """Length of the shortest path from every row of `x` to every row of `y` on the neighbour graph of both together.

    Lengths are 0 or more. Without a path, the longest distance there is, along the graph or straight. No gradient
    passes through a graph.

    Parameters
    ----------
    neighbours: edges from each row to its nearest others, followed both ways; 1 or more.

    Raises nothing for one neighbour or more.

    >>> shortest_paths(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]]), neighbours=1).tolist()
    [[3.0], [2.0]]
    """
    if len(x) == 0:
        return x.new_empty(0, len(y))
    x, y = x.detach(), y.detach()
    from scipy.sparse.csgraph import dijkstra  # type: ignore[import-untyped, unused-ignore]

    graph, count = _neighbour_graph(torch.cat([x, y]), neighbours), len(x) + len(y)
    step = rows_per_block(count, itemsize=8)
    found = torch.empty(len(x), len(y), dtype=torch.float64)
    for start in range(0, len(y), step):
        targets = torch.arange(len(x) + start, min(len(x) + start + step, count))
        paths = dijkstra(graph, directed=False, indices=targets.numpy())
        found[:, start : start + step] = torch.from_numpy(paths[:, : len(x)]).T
    apart = ~torch.isfinite(found)
    if apart.any():
        reached = found[~apart].amax() if not apart.all() else found.new_zeros(())
        found[apart] = max(float(reached), float(euclidean(x, y).amax()))
    return found.to(x)


def _neighbour_graph(points: Tensor, neighbours: int) -> Any:
    """Edges from each row to its nearest others with their lengths, a SciPy matrix."""
    from scipy.sparse import csr_array  # type: ignore[import-untyped, unused-ignore]

    nearest = nearest_by_distance(points, min(neighbours, len(points) - 1))
    width = nearest.shape[1]
    sources = torch.arange(len(points), device=points.device)[:, None]
    lengths = by_blocks(
        lambda edges: (points[edges[:, :1]] - points[edges[:, 1:]]).norm(dim=2),
        torch.cat([sources, nearest], dim=1),
        columns=2 * width * points.shape[1],
    )
    ends = (sources.repeat_interleave(width).cpu().numpy(), nearest.flatten().cpu().numpy())
    return csr_array((lengths.flatten().double().cpu().numpy(), ends), shape=(len(points), len(points)))
