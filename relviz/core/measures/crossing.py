"""One pass over the scores of A's vectors with B's: what each direction finds, and where each sample ranks itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz import settings
from relviz.core.neighbours import Best, in_threads, score_blocks


@dataclass(frozen=True)
class Crossing:
    """What queries find among keys.

    Attributes
    ----------
    found: the k keys with the highest scores of each query, highest first.
    rank: 1 to n, of each query's own key among all keys; of equal scores the earlier row's is the higher.
    """

    found: Int[Tensor, "n k"]
    rank: Int[Tensor, n]


def cross(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    k: int,
    *,
    own: Float[Tensor, n],
    both: bool,
    memory: int = settings.MEMORY,
) -> tuple[Crossing, Crossing | None]:
    """Search B with A's vectors and, if `both`, A with B's, by inner product.

    Ranks are counted, not sorted for; every score is computed once, in blocks of rows.

    Parameters
    ----------
    k: 1 to n.
    own: inner product of each row of A with the same row of B, in float64.
    memory: bytes that a block of scores may take.

    >>> forth, back = cross(torch.eye(3), torch.eye(3).roll(1, 0), 1, own=torch.zeros(3).double(), both=True)
    >>> forth.found.flatten().tolist(), back.found.flatten().tolist()
    ([1, 2, 0], [2, 0, 1])
    """
    forth, back = _Search(own, k, a), _Search(own, k, a)
    for start, scores in score_blocks(a, b, memory=memory):
        forth.rows(scores, start)
        if both:
            back.columns(scores, start)
    return forth.result(), back.result() if both else None


class _Search:
    """Lists and counts so far of n queries, whose own keys have the scores `own`."""

    def __init__(self, own: Float[Tensor, n], k: int, like: Tensor) -> None:
        tie = 8 * torch.finfo(like.dtype).eps  # scores this near differ by rounding alone
        self.low, self.high = (own - tie).to(like.dtype), (own + tie).to(like.dtype)
        self.best = Best(len(own), k, like)
        self.above = torch.zeros(len(own), dtype=torch.int32, device=like.device)

    def rows(self, scores: Float[Tensor, "b n"], start: int) -> None:
        """Scores of the queries from `start` on with all keys."""
        if self.best.compiled:
            from relviz.core.neighbour_kernels import search_rows

            return in_threads(search_rows, 0, len(scores), scores.numpy(), start, *self._arrays())
        own = slice(start, start + len(scores))
        self.best.offer(own, scores, first=0)
        self.above[own] += _count_above(scores, self.low[own, None], self.high[own, None], start).int()
        return None

    def columns(self, scores: Float[Tensor, "b n"], start: int) -> None:
        """Scores of all queries with the keys from `start` on, one a row."""
        if self.best.compiled:
            from relviz.core.neighbour_kernels import search_columns

            return in_threads(search_columns, 0, len(self.low), scores.numpy(), start, *self._arrays())
        self.best.offer_columns(scores, first=start)
        self.above += _count_above_back(scores, self.low, self.high, start).int()
        return None

    def result(self) -> Crossing:
        return Crossing(self.best.indices, self.above.long() + 1)

    def _arrays(self) -> list[Any]:
        return [x.numpy() for x in (self.best.scores, self.best.indices, self.low, self.high, self.above)]


def _count_above(scores: Tensor, low: Tensor, high: Tensor, start: int) -> Tensor:
    """How many keys come before each query's own: earlier ones that reach its score, later ones that exceed it."""
    stop = start + len(scores)
    square = scores[:, start:stop]
    within = (square > torch.where(_earlier(square), low, high)).sum(1)
    return _count(scores[:, :start], low, 1) + _count(scores[:, stop:], high, 1) + within


def _count_above_back(scores: Tensor, low: Tensor, high: Tensor, start: int) -> Tensor:
    """The same for B's vectors, whose scores are columns: how many of this block's rows come before each one's own."""
    stop = start + len(scores)
    square = scores[:, start:stop]
    within = (square > torch.where(_earlier(square).T, low[start:stop], high[start:stop])).sum(0)
    before, after = _count(scores[:, :start], high[:start], 0), _count(scores[:, stop:], low[stop:], 0)
    return torch.cat([before, within.to(before.dtype), after])


def _count(scores: Tensor, threshold: Tensor, dim: int) -> Tensor:
    # Adding ones up as float32 is four times as fast as counting booleans, and exact up to 2^24 of them.
    return torch.gt(scores, threshold, out=torch.empty_like(scores)).sum(dim, dtype=torch.float32)


def _earlier(square: Tensor) -> Tensor:
    """True where the column is the number of an earlier row."""
    return torch.ones_like(square, dtype=torch.bool).tril(-1)
