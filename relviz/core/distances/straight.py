"""Straight distances between two sets of vectors.

All take finite values whose squares fit their precision; `projections` and `anchors.diagnostics` see to that. They
differ from `torch.cdist` in that Euclidean distances of near vectors keep their digits and that L1 and L-infinity are
about fifteen times faster in float32 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.blocks import in_threads

_COMPILED_FROM = 2**24  # differences; below, torch is done before a kernel is even loaded
_PRODUCT_FROM = 2**30  # the same for Euclidean distances, of which a product does most
_CANCELLED = 0.04  # of a row's squared norm: a smaller squared distance has lost digits in float32


def euclidean(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    """Euclidean distance of every row of `x` to every row of `y`, 0 or more.

    By one matrix product, |x|^2 - 2 x.y + |y|^2 around the mean of `y`; distances so small that this cancels are
    computed again from the difference of the vectors as given, so equal vectors have distance 0 exactly.

    Raises nothing beyond shape mismatches.

    >>> euclidean(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [5.0]]
    """
    return euclidean_to(y)(x, None)


def euclidean_to(y: Float[Tensor, "k d"]) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Euclidean distance to fixed rows for one block of `x`, `b x d`, after the other.

    What belongs to `y` is computed once. Distances are 0 or more.

    The function that is returned takes the block and a contiguous place for the result, which spares an allocation
    (None where a gradient has to pass); it returns the result, there or elsewhere.

    Raises nothing beyond shape mismatches.

    >>> euclidean_to(torch.zeros(1, 2))(torch.tensor([[3.0, 4.0]]), None).tolist()
    [[5.0]]
    """
    middle = y.mean(0, dtype=torch.float64).to(y.dtype)
    moved_y = (y - middle).contiguous()
    squares_y, doubled = moved_y.square().sum(1), -2 * moved_y

    def relate(given: Tensor, out: Tensor | None) -> Tensor:
        x = given - middle
        if _is_compiled(x, moved_y, _PRODUCT_FROM):
            from relviz.core.distances.kernels import l2  # compiles at first use

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

    Raises nothing beyond shape mismatches.

    >>> manhattan(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [7.0]]
    """
    if not _is_compiled(x, y, _COMPILED_FROM):
        return torch.cdist(x, y, p=1.0)
    from relviz.core.distances.kernels import l1  # compiles at first use

    return _in_threads(l1, x, y, torch.float32)


def chebyshev(x: Float[Tensor, "n d"], y: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    """L-infinity distance, the largest absolute difference, of every row of `x` to every row of `y`, 0 or more.

    Raises nothing beyond shape mismatches.

    >>> chebyshev(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [[0.0], [4.0]]
    """
    if not _is_compiled(x, y, _COMPILED_FROM):
        return torch.cdist(x, y, p=float("inf"))
    from relviz.core.distances.kernels import linf  # compiles at first use

    return _in_threads(linf, x, y, torch.int32).view(torch.float32)


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
