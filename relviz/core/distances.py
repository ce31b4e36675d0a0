"""Distances between two sets of vectors, one block of rows at a time.

`euclidean`, `manhattan` and `chebyshev` take finite values whose squares fit their precision; `projections` and
`diagnostics` see to that. They differ from `torch.cdist` in that Euclidean distances of near vectors keep their digits
and that L1 and L-infinity are about fifteen times faster in float32 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from relviz import settings
from relviz.core.blocks import in_threads, rows_per_block
from relviz.core.neighbours import nearest_by_distance
from relviz.errors import BadChoice

_COMPILED_FROM = 2**24  # differences; below, torch is done before a kernel is even loaded
_PRODUCT_FROM = 2**30  # the same for Euclidean distances, of which a product does most
_CANCELLED = 0.04  # of a row's squared norm: a smaller squared distance has lost digits in float32


def checked(x: Float[Tensor, "*n d"], what: str) -> float:
    """The largest absolute value of `x`, 0.0 of nothing, once all its values are known to be finite.

    Raises
    ------
    BadChoice: a value is NaN or infinite; `what` names the offender.

    >>> checked(torch.tensor([[-3.0, 1.0]]), "samples")
    3.0
    """
    if x.numel() == 0:
        return 0.0
    low, high = (float(end) for end in torch.aminmax(x.detach()))  # NaN comes through as NaN
    largest = max(-low, high)
    if not largest < float("inf"):
        raise BadChoice(f"The {what} hold values that are not finite.", "Take out NaN and infinite values.")
    return largest


def by_blocks(
    function: Callable[[Tensor], Tensor],
    x: Shaped[Tensor, "n d"],
    *,
    columns: int,
    memory: int = settings.MEMORY,
) -> Shaped[Tensor, "n ..."]:
    """`function` of `x`, computed block by block of its rows; it must treat each row by itself.

    Parameters
    ----------
    function: rows in, one row (or value) of the result for each.
    columns: values per row that one block holds, temporaries counted in.
    memory: budget of one block, in bytes.

    >>> by_blocks(lambda rows: rows.sum(1), torch.ones(5, 2), columns=2, memory=16).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    size = rows_per_block(columns, itemsize=x.element_size(), memory=memory)
    first = function(x[:size])
    if len(x) <= size:
        return first
    found = first.new_empty(len(x), *first.shape[1:])
    found[:size] = first
    for start in range(size, len(x), size):
        found[start : start + size] = function(x[start : start + size])
    return found


def euclidean(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    """Euclidean distance of every row of `x` to every row of `y`, 0 or more.

    By one matrix product, |x|^2 - 2 x.y + |y|^2 around the mean of `y`; distances so small that this cancels are
    computed again from the difference of the vectors as given, so equal vectors have distance 0 exactly.

    >>> euclidean(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [5.0]]
    """
    return euclidean_to(y)(x, None)


def euclidean_to(y: Float[Tensor, "k d"]) -> Callable[[Tensor, Tensor | None], Tensor]:
    """`euclidean` to fixed rows, for one block of `x` after the other: what belongs to `y` is computed once.

    The function that is returned takes the block and a contiguous place for the result, which spares an allocation
    (None where a gradient has to pass); it returns the result, there or elsewhere.

    >>> euclidean_to(torch.zeros(1, 2))(torch.tensor([[3.0, 4.0]]), None).tolist()
    [[5.0]]
    """
    middle = y.mean(0, dtype=torch.float64).to(y.dtype)
    moved_y = (y - middle).contiguous()
    squares_y, doubled = moved_y.square().sum(1), -2 * moved_y

    def relate(given: Tensor, out: Tensor | None) -> Tensor:
        x = given - middle
        if _is_compiled(x, moved_y, _PRODUCT_FROM):
            from relviz.core.distance_kernels import l2  # compiles at first use

            x = x.contiguous()
            found = torch.mm(x, doubled.T, out=out)  # not by `products`, whose BLAS keeps a core spinning into the pass
            both = given.contiguous().numpy(), y.contiguous().numpy()
            in_threads(l2, 0, len(x), x.numpy(), *both, squares_y.numpy(), _CANCELLED, found.numpy())
            return found
        squares = x.square().sum(1, keepdim=True)
        found = torch.addmm(squares_y, x, moved_y.T, alpha=-2, out=out).add_(squares)
        near = (found <= _CANCELLED * squares).nonzero()
        if len(near) * x.shape[1] > x.numel() + found.numel():  # more to repair than the block holds
            return torch.cdist(given, y, compute_mode="donot_use_mm_for_euclid_dist")
        rows, columns = near.T
        found[rows, columns] = (given[rows] - y[columns]).square().sum(1)
        return found.clamp_min_(0).sqrt_()

    return relate


def manhattan(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    """L1 distance, the sum of absolute differences, of every row of `x` to every row of `y`, 0 or more.

    >>> manhattan(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [7.0]]
    """
    if not _is_compiled(x, y, _COMPILED_FROM):
        return torch.cdist(x, y, p=1.0)
    from relviz.core.distance_kernels import l1  # compiles at first use

    return _in_threads(l1, x, y, torch.float32)


def chebyshev(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    """L-infinity distance, the largest absolute difference, of every row of `x` to every row of `y`, 0 or more.

    >>> chebyshev(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [4.0]]
    """
    if not _is_compiled(x, y, _COMPILED_FROM):
        return torch.cdist(x, y, p=float("inf"))
    from relviz.core.distance_kernels import linf  # compiles at first use

    return _in_threads(linf, x, y, torch.int32).view(torch.float32)


def shortest_paths(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"], *, neighbours: int) -> Float[Tensor, "n k"]:
    """Length of the shortest path from every row of `x` to every row of `y` on the neighbour graph of both together.

    Without a path, the longest distance there is, along the graph or straight. No gradient passes through a graph.

    Parameters
    ----------
    neighbours: edges from each row to its nearest others, followed both ways; 1 or more.

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


def _is_compiled(x: Tensor, y: Tensor, least: int) -> bool:
    """Whether the compiled kernels apply and pay: large float32 products on a CPU that need no gradient."""
    plain = all(t.dtype == torch.float32 and t.device.type == "cpu" and not t.requires_grad for t in (x, y))
    return plain and len(x) >= 4 and len(x) * y.numel() >= least


def _in_threads(kernel: Callable[..., Any], x: Tensor, y: Tensor, dtype: torch.dtype) -> Tensor:
    """A kernel over slices of rows, one slice for each thread that torch would use; the slicing changes no value."""
    found = torch.empty(len(x), len(y), dtype=dtype)
    size = max(4, -(-len(x) // torch.get_num_threads()))
    bounds = [(start, min(start + size, len(x))) for start in range(0, len(x), size)]
    if bounds[-1][1] - bounds[-1][0] < 4:
        bounds[-1] = (len(x) - 4, len(x))
    rows, others, results = x.contiguous().numpy(), y.contiguous().numpy(), found.numpy()
    with ThreadPoolExecutor(len(bounds)) as pool:
        list(pool.map(lambda ends: kernel(rows[slice(*ends)], others, results[slice(*ends)]), bounds))
    return found
