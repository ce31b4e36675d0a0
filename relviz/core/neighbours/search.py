"""Searches in blocks of rows: products, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block
from relviz.core.neighbours.best import Best, ranked
from relviz.core.neighbours.points import Points, Scores, directions, places

BLOCK = 768  # query rows per score block, at most: fewer slow products down, more are out of the cache when read


def nearest_by_cosine(x: Float[Tensor, "n d"], k: int) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k nearest other rows of each row and their cosine similarities in [-1, 1], nearest first.

    Parameters
    ----------
    k: 1 to n - 1.

    Raises nothing for k from 1 to n - 1 and finite rows.

    >>> nearest_by_cosine(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), 1)[0].tolist()
    [[1], [0], [1]]
    """
    points = directions(x)
    found = nearest_within(points, k, ordered=True)
    rows = torch.arange(len(x), device=x.device).repeat_interleave(k)
    cosines = 1 + Scores(points, points).pairs(rows, found.flatten())
    return found, cosines.reshape(found.shape).to(x.dtype)


def nearest_by_distance(x: Float[Tensor, "n d"], k: int) -> Int[Tensor, "n k"]:
    """The k nearest other rows, 0 to n - 1, of each row by Euclidean distance, nearest first.

    Raises nothing for k from 1 to n - 1 and finite rows.

    >>> nearest_by_distance(torch.tensor([[0.0], [1.0], [5.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    return nearest_within(places(x), k, ordered=True)


def nearest_within(
    points: Points, k: int, *, ordered: bool = False, memory: int = settings.MEMORY
) -> Int[Tensor, "n k"]:
    """The k other points with the highest scores with each point, highest first.

    One product serves both of its points, so only half of the products are computed.

    Parameters
    ----------
    k: 1 to n - 1.
    ordered: whether rounding may not change the order within a list; which keys are the first k, and the first k - 1,
        it never changes.
    memory: bytes that a block of scores may take.

    Raises nothing for k from 1 to n - 1.

    >>> nearest_within(places(torch.tensor([[0.0], [1.0], [5.0], [5.0]])), 2).tolist()
    [[1, 2], [0, 2], [3, 1], [2, 1]]
    """
    scores = Scores(points, points)
    best = Best(len(points.x), k, points.x)

    def read(start: int, block: Tensor) -> None:
        rows = len(block)
        block.fill_diagonal_(-torch.inf)
        with best.lock:
            best.offer(slice(start, start + rows), block, first=start)
            if start + rows < len(points.x):
                best.offer_columns(block, first=start, begin=rows, origin=start)

    read_scores(scores, read, upper=True, memory=memory)
    return best.settled(scores, k, ordered=ordered, memory=memory)


def nearest_among(queries: Points, keys: Points, k: int, *, memory: int = settings.MEMORY) -> Int[Tensor, "m k"]:
    """The k of n keys (numbers 0 to n - 1) with the highest scores with each query, highest first, all in float64.

    Raises nothing for k from 1 to n.

    >>> nearest_among(places(torch.tensor([[2.0]])), places(torch.tensor([[0.0], [2.5]])), 1).tolist()
    [[1]]
    """
    scores, rows = Scores(queries, keys), torch.arange(len(queries.x), device=queries.x.device)
    every = torch.arange(len(keys.x), device=keys.x.device)
    parts = [ranked(found, every, k, scores.tie[some]) for some, found in scores.whole(rows, memory)]
    return torch.cat(parts)


def multiply(
    queries: Float[Tensor, "b d"], keys: Float[Tensor, "c d"], out: Float[Tensor, "b c"]
) -> Float[Tensor, "b c"]:
    """`out`, into which the inner products of all queries with all keys are written.

    Raises nothing beyond shape mismatches.

    >>> multiply(torch.eye(2), torch.ones(3, 2), torch.empty(2, 3)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if out.device.type == "cpu":  # NumPy's BLAS takes a fifth less time than torch's
        np.matmul(queries.numpy(), keys.numpy().T, out=out.numpy())
        return out
    return torch.matmul(queries, keys.T, out=out)


def read_scores(
    scores: Scores, read: Callable[[int, Tensor], None], *, upper: bool = False, memory: int = settings.MEMORY
) -> None:
    """Call `read` with the first point's number and a block `b x n` of scores of A's points with B's, for all of A's.

    The scores lack their constant. On the CPU each of torch's threads takes block after block, multiplies it and reads
    it, so `read` is called by several at once and in any order; one product in several threads would keep those that
    are done waiting for the others, and spinning beside the readers.

    Parameters
    ----------
    upper: whether each block leaves out the keys before its own first row.
    memory: bytes that all blocks held at once may take.

    Raises nothing but what `read` raises.

    >>> points = places(torch.tensor([[0.0], [2.0]]))
    >>> read_scores(Scores(points, points), lambda start, block: print(start, block.tolist()))
    0 [[0.0625, -0.0625], [-0.0625, 0.0625]]
    """
    keys, count = scores.keys(), len(scores.a.x)
    threads = torch.get_num_threads() if keys.device.type == "cpu" else 1
    rows = min(BLOCK, rows_per_block(threads * len(keys), itemsize=keys.element_size(), memory=memory))
    starts = iter(range(0, count, rows))  # each of its numbers goes to one thread

    def work() -> None:
        buffer = keys.new_empty(min(rows, count) * len(keys))
        while (start := next(starts, None)) is not None:
            queries, some = scores.queries(slice(start, start + rows)), keys[start:] if upper else keys
            block = buffer[: len(queries) * len(some)].view(len(queries), len(some))
            read(start, multiply(queries, some, block))

    if threads == 1 or count <= rows:
        return work()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(threads)]:
            done.result()
