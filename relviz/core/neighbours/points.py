"""Rows as nearest-neighbour searches read them, and scores of pairs of rows with the bounds of their rounding.

A score is minus half a squared distance, so of rows of length one the cosine less 1. Products of float32 numbers sort
keys by it where they lie far apart; `Scores` says how far is enough, and gives the rest in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz import settings
from relviz.core.blocks import in_threads, rows_per_block

_MEAN_OF = 1000  # rows whose mean is the middle: any point nearby serves
_PIECE = 2**24  # bytes of the rows that are worked on at once
_COMPILED_FROM = 2**20  # numbers in pairs of rows; below, torch is done before a kernel is even loaded
_DOUBLE = torch.finfo(torch.float64).eps


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows scaled to length one; a zero row stays zero. Finite rows of any size come out right.

    Raises nothing.

    >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0], [3e30, 4e30]])).norm(dim=1).tolist()
    [1.0, 0.0, 1.0]
    """
    tiny, norms = torch.finfo(x.dtype).tiny, x.norm(dim=1, keepdim=True)
    # Squares of such rows leave the range of the type, or lose digits at its lower end.
    extreme = ~((norms > 1e4 * tiny**0.5) & torch.isfinite(norms)).squeeze(1)
    if bool(extreme.any()):
        x = x.clone()
        x[extreme] /= x[extreme].abs().amax(1, keepdim=True).clamp_min(tiny)
        norms = x.norm(dim=1, keepdim=True)
    return x / norms.clamp_min(tiny)


class Points:
    """Rows times a factor each, around about their mean, taken off in float64: so no digits go to a common offset.

    Parameters
    ----------
    x: rows, float32 or float64.
    scale: factor of each row. A row with factor 0 has no direction: it gets a dimension that only such rows have.
    reach: length of the rows times their factors if these multiply with rounding, else 0.

    >>> points = Points(torch.tensor([[0.0], [2.0]]), torch.ones(2).double(), reach=0.0)
    >>> points.middle.tolist(), points.near.tolist()
    ([1.0, 0.0], [[-1.0, 0.0], [1.0, 0.0]])
    """

    def __init__(self, x: Float[Tensor, "n d"], scale: Float[Tensor, n], *, reach: float) -> None:
        self.x, self.scale, self.reach = x, scale, reach
        self.width = x.shape[1] + 1
        self.middle = self.placed(slice(0, len(x), max(1, len(x) // _MEAN_OF))).mean(0)
        self.near = x.new_empty(len(x), self.width)
        self.half = torch.empty_like(scale)  # minus half the squared distance from the middle
        for rows in self._blocks():
            around = self.around(rows)
            self.near[rows] = around.to(x.dtype)
            self.half[rows] = around.square().sum(1) / -2

    def placed(self, rows: slice | Int[Tensor, b]) -> Float[Tensor, "b w"]:
        """Those rows times their factors, in float64."""
        some = self.x[rows]
        found = self.scale.new_empty(len(some), self.width)
        found[:, :-1].copy_(some).mul_(self.scale[rows, None])  # a product of mixed types takes five times as long
        found[:, -1] = self.scale[rows] == 0
        return found

    def around(self, rows: slice | Int[Tensor, b]) -> Float[Tensor, "b w"]:
        """Those rows around the middle, in float64."""
        return self.placed(rows).sub_(self.middle)

    def along(self, direction: Float[Tensor, w]) -> Float[Tensor, n]:
        """Inner products of the rows around the middle with a direction, in float64."""
        if not bool(direction.any()):
            return torch.zeros_like(self.scale)
        return torch.cat([self.around(rows) @ direction for rows in self._blocks()])

    @property
    def arrays(self) -> tuple[Any, Any]:
        """The rows and their factors as compiled kernels take them."""
        return self.x.contiguous().numpy(), self.scale.numpy()

    def _blocks(self) -> list[slice]:
        step = rows_per_block(self.width, itemsize=8, memory=_PIECE)
        return [slice(start, start + step) for start in range(0, len(self.x), step)]


def directions(x: Float[Tensor, "n d"]) -> Points:
    """Rows scaled to length one, whose scores are cosines less 1; those of a zero row are 0 with zero rows, else -1.

    Raises nothing.

    >>> directions(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).placed(slice(0, 2)).tolist()
    [[0.6000000000000001, 0.8, 0.0], [0.0, 0.0, 1.0]]
    """
    x = x.detach()
    if x.dtype == torch.float64:  # its squares may leave the range
        x = x / x.abs().amax(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    parts = x.split(rows_per_block(x.shape[1], itemsize=8, memory=_PIECE))
    norms = torch.cat([part.double().norm(dim=1) for part in parts])
    return Points(x, torch.where(norms > 0, 1 / norms, 0.0), reach=1.0)


def places(x: Float[Tensor, "n d"], *, peak: float | None = None) -> Points:
    """Rows as they are but for a power of two, whose scores rank by Euclidean distance.

    Parameters
    ----------
    peak: the largest size of a value, for which the power is chosen; that of `x` itself unless given.

    Raises nothing for one finite row or more.

    >>> places(torch.tensor([[3.0, 4.0]])).placed(slice(0, 1)).tolist()
    [[0.375, 0.5, 0.0]]
    """
    x = x.detach()
    exponent = math.frexp(float(x.abs().amax()) if peak is None else peak)[1]
    factor = 2.0 ** -max(-1000, min(1000, exponent))
    return Points(x, torch.full((len(x),), factor, dtype=torch.float64, device=x.device), reach=0.0)


class Scores:
    """Scores of A's points with B's.

    Attributes
    ----------
    first, second, constant: what is to be added to the product of two points around their middles to give the score.
    slack: of each point of A, how far a score in the type of the points can be off; `constant` is left out of these.
    tie: of each point of A, how far apart two scores in float64 can be that would be equal without rounding.

    >>> points = places(torch.tensor([[0.0], [2.0], [6.0]]))
    >>> Scores(points, points).pairs(torch.tensor([0, 1]), torch.tensor([2, 2])).tolist()
    [-0.28125, -0.125]
    """

    def __init__(self, a: Points, b: Points) -> None:
        self.a, self.b = a, b
        shift = a.middle - b.middle
        first, second = a.half - a.along(shift), b.half + b.along(shift)
        usual = first.mean(), second.mean()  # left out of products too: the smaller their terms, the less they round
        self.first, self.second = first - usual[0], second - usual[1]
        self.constant = usual[0] + usual[1] - shift.square().sum() / 2
        lengths, longest = (a.half * -2).sqrt(), (b.half.amin() * -2).sqrt()
        size = lengths * longest + self.first.abs() + self.second.abs().amax()
        # A sum of m products, in whatever order, is off by at most m/2 eps of the sum of their sizes; the rest are
        # roundings of the numbers themselves and of thresholds. Numbers below the range of float32 are lost.
        self.slack = (a.width + 10) / 2 * torch.finfo(a.x.dtype).eps * size + 1e-36
        # Not that bound: most roundings cancel, and in float64 only scores that are equal by right lie this near.
        spread = lengths + longest + shift.norm()
        size = size + usual[0].abs() + usual[1].abs()
        self.tie = _DOUBLE * ((2 * a.width**0.5 + 8) * size + 4 * max(a.reach, b.reach) * spread)

    def queries(self, rows: slice) -> Float[Tensor, "b v"]:
        """Those points of A with two numbers more, whose products with `keys` are scores."""
        near = self.a.near[rows]
        return torch.cat([near, self.first[rows, None].to(near), torch.ones_like(near[:, :1])], dim=1)

    def keys(self) -> Float[Tensor, "n v"]:
        """B's points with two numbers more."""
        near = self.b.near
        return torch.cat([near, torch.ones_like(near[:, :1]), self.second[:, None].to(near)], dim=1)

    def pairs(self, queries: Int[Tensor, p], keys: Int[Tensor, p], memory: int = settings.MEMORY) -> Float[Tensor, p]:
        """Scores of points of A with points of B, one by one, from their differences in float64."""
        a, b = self.a, self.b
        on_cpu = a.x.device.type == "cpu" and a.x.dtype == torch.float32
        if on_cpu and len(queries) * a.width >= _COMPILED_FROM:
            from relviz.core.neighbours.kernels import score_pairs  # compiles at first use

            found, arrays = queries.new_empty(len(queries), dtype=torch.float64), [*a.arrays, *b.arrays]
            in_threads(score_pairs, 0, len(queries), *arrays, queries.numpy(), keys.numpy(), found.numpy())
            return found
        step = rows_per_block(4 * a.width, itemsize=8, memory=memory)
        pieces = zip(queries.split(step), keys.split(step), strict=True)
        return torch.cat([(a.placed(i) - b.placed(j)).square().sum(1) / -2 for i, j in pieces])

    def whole(self, queries: Int[Tensor, q], memory: int = settings.MEMORY) -> Iterator[tuple[Tensor, Tensor]]:
        """In blocks, some of these points of A and their scores with all of B's, by products in float64."""
        count = len(self.b.x)
        chunk = rows_per_block(2 * self.b.width, itemsize=8, memory=memory)
        chunks = [slice(start, start + chunk) for start in range(0, count, chunk)]
        for some in queries.split(rows_per_block(6 * count, itemsize=8, memory=memory)):
            around = self.a.around(some)
            found = torch.cat([around @ self.b.around(rows).T for rows in chunks], dim=1)
            yield some, found.add_(self.second).add_((self.first[some] + self.constant)[:, None])
