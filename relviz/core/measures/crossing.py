"""One pass over the scores of A's vectors with B's: what each direction finds, and where each sample ranks itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz import settings
from relviz.core.neighbours import Best, Points, Scores, read_scores

_OPEN = 64  # keys of one query that are looked at one by one; with more, all of its scores are computed again


@dataclass(frozen=True)
class Crossing:
    """What queries find among keys, in float64 and by the rule for ties of `relviz.core.neighbours`.

    Attributes
    ----------
    found: the k keys with the highest scores of each query, highest first.
    rank: 1 to n, of each query's own key among all keys.
    """

    found: Int[Tensor, "n k"]
    rank: Int[Tensor, n]


def cross(
    a: Points,
    b: Points,
    k: int,
    *,
    own: Float[Tensor, n],
    both: bool,
    memory: int = settings.MEMORY,
) -> tuple[Crossing, Crossing | None]:
    """Search B with A's points and, if `both`, A with B's.

    Ranks are counted, not sorted for; every product is computed once, in blocks of rows.

    Parameters
    ----------
    k: 1 to n - 1.
    own: score of each point of A with the same point of B, in float64.
    memory: bytes that a block of scores may take.

    Raises nothing beyond shape mismatches.

    >>> from relviz.core.neighbours import directions
    >>> a, b = directions(torch.eye(3)), directions(torch.eye(3).roll(1, 0))
    >>> forth, back = cross(a, b, 1, own=-torch.ones(3).double(), both=True)
    >>> forth.found.flatten().tolist(), back.found.flatten().tolist()
    ([1, 2, 0], [2, 0, 1])
    """
    forth = _Search(Scores(a, b), own, k)
    back = _Search(Scores(b, a), own, k) if both else None

    def read(start: int, block: Tensor) -> None:
        block[:, start:].fill_diagonal_(-torch.inf)  # a query's own key is neither listed nor counted
        forth.rows(block, start, memory)
        if back is not None:
            with back.best.lock:
                back.columns(block, start, memory)

    read_scores(forth.scores, read, memory=memory)
    return forth.result(k, memory), back.result(k, memory) if back is not None else None


class _Search:
    """Lists and counts so far of n queries, whose own keys have the scores `own`."""

    def __init__(self, scores: Scores, own: Float[Tensor, n], k: int) -> None:
        self.scores, self.own = scores, own
        like, level, margin = scores.a.x, own - scores.constant, scores.slack + scores.tie
        self.low, self.high = (level - margin).to(like.dtype), (level + margin).to(like.dtype)
        self.best = Best(len(own), k, like)
        self.above, self.open = torch.zeros(2, len(own), dtype=torch.int32, device=like.device)

    def rows(self, block: Float[Tensor, "b n"], start: int, memory: int) -> None:
        """Scores of the queries from `start` on with all keys."""
        if self.best.compiled:
            from relviz.core.neighbours.kernels import search_rows

            return search_rows(block.numpy(), start, *self._arrays())
        queries = slice(start, start + len(block))
        self.best.offer(queries, block, first=0)
        return self._count(queries, block, 0, memory)

    def columns(self, block: Float[Tensor, "b n"], start: int, memory: int) -> None:
        """Scores of all queries with the keys from `start` on, one a row."""
        if self.best.compiled:
            from relviz.core.neighbours.kernels import search_columns

            return search_columns(block.numpy(), start, *self._arrays())
        self.best.offer_columns(block, first=start)
        return self._count(slice(0, len(self.low)), block.T, start, memory)

    def result(self, k: int, memory: int) -> Crossing:
        """Ranks, and lists into which each query's own key is put where it belongs."""
        for some, block in self.scores.whole((self.open > _OPEN).nonzero().squeeze(1), memory):
            self.above[some] = self._before(some, block, memory).int()
        rank = self.above.long() + 1
        others = self.best.settled(self.scores, k, memory=memory)
        place, own = torch.arange(k, device=rank.device), torch.arange(len(rank), device=rank.device)
        shifted = others.gather(1, (place - (place >= rank[:, None]).long()).clamp_min(0))
        return Crossing(torch.where(place == rank[:, None] - 1, own[:, None], shifted), rank)

    def _count(self, queries: slice, block: Float[Tensor, "q c"], first: int, memory: int) -> None:
        """Count the keys above each query's own among those numbered from `first` on."""
        high = self.high[queries, None]
        near = (block > self.low[queries, None]) & (block <= high)
        self.above[queries] += _sums(block > high)
        self.open[queries] += _sums(near)
        rows, keys = (near & (self.open[queries, None] <= _OPEN)).nonzero().T
        rows, keys = rows + queries.start, keys + first
        gap = self.scores.pairs(rows, keys, memory) - self.own[rows]
        self.above.index_add_(0, rows, (gap > self.scores.tie[rows]).int())
        self.open.index_add_(0, rows, _OPEN * (gap.abs() <= self.scores.tie[rows]).int())

    def _before(self, queries: Int[Tensor, q], block: Float[Tensor, "q n"], memory: int) -> Int[Tensor, q]:
        """How many keys come before each query's own, of all scores in float64."""
        gap, tie = block - self.own[queries, None], self.scores.tie[queries, None]
        number = torch.arange(block.shape[1], device=block.device)
        earlier = (gap.abs() <= tie) & (number < queries[:, None])
        asking = earlier.any(1).nonzero().squeeze(1)
        if len(asking) > 0:
            among = Scores(self.scores.a, self.scores.a)
            alike = [found >= -among.tie[some, None] for some, found in among.whole(queries[asking], memory)]
            earlier[asking] &= ~torch.cat(alike)
        return (((gap > tie) | earlier) & (number != queries[:, None])).sum(1)

    def _arrays(self) -> list[Any]:
        lists = [x.numpy() for x in (self.best.scores, self.best.indices, self.low, self.high)]
        points = (*self.scores.a.arrays, *self.scores.b.arrays)
        return [*lists, points, *(x.numpy() for x in (self.own, self.scores.tie, self.above, self.open)), _OPEN]


def _sums(found: Tensor) -> Tensor:
    # Adding ones up as float32 is four times as fast as counting booleans, and exact up to 2^24 of them.
    return found.float().sum(1).int()
