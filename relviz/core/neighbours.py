"""Exact nearest neighbours, in blocks of rows so that no n x n matrix is ever held.

Lists and ranks are those of float64 arithmetic. Products in the type of the rows find the candidates; whatever these
leave open within the bound of their rounding is ranked again in float64.

The rule for ties, here and in `relviz.core.measures`: scores that float64 cannot tell apart (`Scores.tie`) are equal,
and of equal scores the earlier row comes first. Only the sample that asks comes before earlier rows of an equal score
if these have its own direction on the side that asks: so every row of a space is the first that the space finds for it,
copies or not, whereas a space whose rows are all alike tells no sample from another.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block
from relviz.core.points import Points, Scores, directions, places

BLOCK = 768  # query rows per score block, at most: fewer slow products down, more are out of the cache when read
COMPILED_FROM = 4096  # rows of a search from which on compiled kernels select
SPARE = 4  # candidates beyond the k wanted: what is ranked again in float64 is among them, unless many keys are equal


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows scaled to length one; a zero row stays zero. Finite rows of any size come out right.

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


def nearest_by_cosine(x: Float[Tensor, "n d"], k: int) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k nearest other rows of each row and their cosine similarities, nearest first.

    Parameters
    ----------
    k: 1 to n - 1.

    >>> nearest_by_cosine(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), 1)[0].tolist()
    [[1], [0], [1]]
    """
    points = directions(x)
    found = nearest_within(points, k, ordered=True)
    rows = torch.arange(len(x), device=x.device).repeat_interleave(k)
    cosines = 1 + Scores(points, points).pairs(rows, found.flatten())
    return found, cosines.reshape(found.shape).to(x.dtype)


def nearest_by_distance(x: Float[Tensor, "n d"], k: int) -> Int[Tensor, "n k"]:
    """The k nearest other rows of each row by Euclidean distance, nearest first.

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
    """The k keys with the highest scores with each query, highest first, all of them in float64.

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


class Best:
    """The highest scores that each row was offered so far, highest first, and the numbers of their keys.

    As many as are wanted of n keys less the row's own, and `SPARE` more as far as there are any. Who offers scores of
    rows that others may offer to at the same time holds the `lock`.

    >>> best = Best(3, 2, torch.zeros(()))
    >>> best.offer(slice(0, 1), torch.tensor([[1.0, 5.0]]), first=0)
    >>> best.offer(slice(0, 1), torch.tensor([[3.0]]), first=2)
    >>> best.scores[0].tolist(), best.indices[0].tolist()
    ([5.0, 3.0], [1, 2])
    """

    def __init__(self, rows: int, k: int, like: Tensor) -> None:
        width = min(k + SPARE, rows - 1)
        self.lock = Lock()
        self.scores = like.new_full((rows, width), -torch.inf)
        self.indices = torch.zeros(rows, width, dtype=torch.int64, device=like.device)
        # Compiled kernels save half the time of a large search, and cost seconds once.
        self.compiled = like.device.type == "cpu" and like.dtype == torch.float32 and rows >= COMPILED_FROM

    def offer(self, rows: slice, scores: Float[Tensor, "b c"], *, first: int) -> None:
        """Scores of those rows with the keys numbered from `first` on; keys are to be offered in order."""
        if self.compiled:
            from relviz.core.neighbour_kernels import offer_rows

            lists = self.scores[rows].numpy(), self.indices[rows].numpy()
            return offer_rows(scores.numpy(), first, *lists)
        k = self.scores.shape[1]
        found = scores.topk(min(k, scores.shape[1]), dim=1)
        values = torch.cat([self.scores[rows], found.values], dim=1)
        indices = torch.cat([self.indices[rows], found.indices + first], dim=1)
        kept = values.topk(k, dim=1)
        self.scores[rows], self.indices[rows] = kept.values, indices.gather(1, kept.indices)
        return None

    def offer_columns(self, scores: Float[Tensor, "b c"], *, first: int, begin: int = 0, origin: int = 0) -> None:
        """Scores of the keys numbered from `first` on, one a row, with row `origin + j` of this in column j.

        Parameters
        ----------
        begin: the first column that counts.
        """
        if self.compiled:
            from relviz.core.neighbour_kernels import offer_columns

            lists = self.scores.numpy(), self.indices.numpy()
            return offer_columns(begin, scores.numpy(), first, *lists, origin)
        return self.offer(slice(origin + begin, origin + scores.shape[1]), scores[:, begin:].T, first=first)

    def settled(
        self, scores: Scores, k: int, *, ordered: bool = False, memory: int = settings.MEMORY
    ) -> Int[Tensor, "n k"]:
        """The k other keys with the highest scores of each query by the rule above; see `nearest_within`."""
        found, margin = self.indices[:, :k].clone(), (2 * scores.slack + scores.tie)[:, None]
        reached = self.scores[:, 0 if ordered else max(0, k - 2) : k + 1].double()
        rows = (~(reached[:, :-1] - reached[:, 1:] > margin)).any(1).nonzero().squeeze(1)
        if len(rows) == 0:
            return found
        among = self.indices[rows]
        exact = scores.pairs(rows.repeat_interleave(among.shape[1]), among.flatten(), memory).reshape(among.shape)
        found[rows] = ranked(exact, among, k, scores.tie[rows])
        if among.shape[1] == len(scores.b.x) - 1:
            return found
        # What is not among the candidates scores at most as much as their last.
        beyond = self.scores[rows, -1].double() + scores.slack[rows] + scores.constant
        open_ = rows[~(beyond < exact.topk(k).values[:, -1] - scores.tie[rows])]
        every = torch.arange(len(scores.b.x), device=rows.device)
        for some, block in scores.whole(open_, memory):
            block[torch.arange(len(some), device=rows.device), some] = -torch.inf
            found[some] = ranked(block, every, k, scores.tie[some])
        return found


def ranked(
    scores: Float[Tensor, "b c"], numbers: Int[Tensor, "*rows c"], k: int, tie: Float[Tensor, b]
) -> Int[Tensor, "b k"]:
    """Numbers of the k highest scores, highest first; of scores at most `tie` apart the lower number comes first.

    >>> scores = torch.tensor([[2.0, 3.0, 3.01, 1.99]])
    >>> ranked(scores, torch.tensor([7, 5, 9, 4]), 3, torch.tensor([0.1])).tolist()
    [[5, 9, 4]]
    """
    tie, numbers, beyond = tie[:, None], numbers.expand(scores.shape), int(numbers.max()) + 1
    last = scores.topk(k).values[:, -1:]
    above = scores > last + tie  # fewer than k
    turn = torch.where(above, 1, torch.where(scores >= last - tie, -numbers, -beyond))
    chosen = turn.topk(k).indices
    values, order = scores.gather(1, chosen).sort(dim=1, descending=True)
    group = torch.nn.functional.pad((values[:, :-1] - values[:, 1:] > tie).cumsum(1), (1, 0))
    return (group * beyond + numbers.gather(1, chosen.gather(1, order))).sort(dim=1).values % beyond


def kept_share(truth: Int[Tensor, "n k"], found: Int[Tensor, "n k"]) -> Float[Tensor, "n"]:
    """Share of each row's true neighbours that are among the found ones, in [0, 1]; chance is k / (n - 1).

    >>> kept_share(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [0.5]
    """
    return shared_count(truth, found).double() / truth.shape[1]


def jaccard_index(a: Int[Tensor, "n k"], b: Int[Tensor, "n k"]) -> Float[Tensor, "n"]:
    """Intersection over union of each row's entries in `a` and in `b`, in [0, 1] (no row repeats an entry).

    >>> jaccard_index(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [0.3333333333333333]
    """
    shared = shared_count(a, b).double()
    return shared / (2 * a.shape[1] - shared)


def shared_count(a: Int[Tensor, "n k"], b: Int[Tensor, "n k"]) -> Int[Tensor, "n"]:
    """How many entries each row of `a` shares with the same row of `b` (no row repeats an entry).

    >>> shared_count(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [1]
    """
    # Sorted side by side, an entry of both rows stands next to itself: k log k a row, where comparing all is k^2.
    both = torch.cat([a, b], dim=1).sort(dim=1).values
    return (both[:, 1:] == both[:, :-1]).sum(1)
