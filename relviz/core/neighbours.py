"""Exact nearest neighbours, in blocks of rows so that no n x n matrix is ever held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block

BLOCK = 768  # query rows per score block, at most: fewer slow products down, more are out of the cache when read
COMPILED_FROM = 4096  # rows of a search from which on compiled kernels select


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
    return highest_within(unit_rows(x), k, itself=False)


def nearest_by_distance(x: Float[Tensor, "n d"], k: int) -> Int[Tensor, "n k"]:
    """The k nearest other rows of each row by Euclidean distance, nearest first.

    >>> nearest_by_distance(torch.tensor([[0.0], [1.0], [5.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    x = x - x.mean(0)  # keeps the expansion below from cancelling
    squares = x.square().sum(1)
    best = Best(len(x), k, x)
    for start, scores in score_blocks(x, x):
        scores.mul_(2).sub_(squares)
        scores[:, start:].fill_diagonal_(-torch.inf)
        best.offer(slice(start, start + len(scores)), scores, first=0)
    return best.indices


def highest_within(
    x: Float[Tensor, "n d"], k: int, *, itself: bool, memory: int = settings.MEMORY
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k rows of x with the highest inner products with each row of x, highest first, and these products.

    One product serves both of its rows, so only half of the products are computed.

    Parameters
    ----------
    itself: whether a row counts among its own.
    k: 1 to n, or to n - 1 without itself.
    memory: bytes that a block of products may take.

    >>> highest_within(torch.eye(2), 2, itself=True)[0].tolist()
    [[0, 1], [1, 0]]
    """
    best = Best(len(x), k, x)
    for start, scores in score_blocks(x, x, upper=True, memory=memory):
        rows = len(scores)
        if not itself:
            scores.fill_diagonal_(-torch.inf)
        best.offer(slice(start, start + rows), scores, first=start)
        if start + rows < len(x):
            best.offer_columns(scores, first=start, begin=rows, origin=start)
    return best.indices, best.scores


def products(queries: Float[Tensor, "b d"], keys: Float[Tensor, "c d"]) -> Float[Tensor, "b c"]:
    """Inner products of all queries with all keys.

    >>> products(torch.eye(2), torch.ones(3, 2)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if queries.device.type == "cpu":  # NumPy's BLAS takes a fifth less time than torch's
        return torch.from_numpy(queries.numpy() @ keys.numpy().T)
    return queries @ keys.T


def score_blocks(
    queries: Float[Tensor, "m d"], keys: Float[Tensor, "n d"], *, upper: bool = False, memory: int = settings.MEMORY
) -> Iterator[tuple[int, Tensor]]:
    """Inner products of query rows with the keys: the first row's number and a block `b x n`, again and again.

    A block is multiplied while the caller reads the one before it. That is more than two things at once: BLAS keeps its
    threads spinning for a while after a product, and so would take half of the reader's time.

    Parameters
    ----------
    upper: whether each block leaves out the keys before its own first row.
    memory: bytes that two blocks may take.

    >>> [(start, block.tolist()) for start, block in score_blocks(torch.eye(2), torch.ones(1, 2))]
    [(0, [[1.0], [1.0]])]
    """
    rows = min(BLOCK, rows_per_block(2 * len(keys), itemsize=keys.element_size(), memory=memory))
    starts = range(0, len(queries), rows)
    with ThreadPoolExecutor(1) as pool:

        def begin(start: int) -> Future[Tensor]:
            return pool.submit(products, queries[start : start + rows], keys[start:] if upper else keys)

        coming = begin(0)
        for start in starts:
            block = coming.result()
            if start != starts[-1]:
                coming = begin(start + rows)
            yield start, block


class Best:
    """The k highest scores that each row was offered so far, highest first, and the numbers of their keys.

    >>> best = Best(1, 2, torch.zeros(()))
    >>> best.offer(slice(0, 1), torch.tensor([[1.0, 5.0]]), first=0)
    >>> best.offer(slice(0, 1), torch.tensor([[3.0, 0.0]]), first=2)
    >>> best.scores.tolist(), best.indices.tolist()
    ([[5.0, 3.0]], [[1, 2]])
    """

    def __init__(self, rows: int, k: int, like: Tensor) -> None:
        self.scores = like.new_full((rows, k), -torch.inf)
        self.indices = torch.zeros(rows, k, dtype=torch.int64, device=like.device)
        # Compiled kernels save half the time of a large search, and cost seconds once.
        self.compiled = like.device.type == "cpu" and like.dtype == torch.float32 and rows >= COMPILED_FROM

    def offer(self, rows: slice, scores: Float[Tensor, "b c"], *, first: int) -> None:
        """Scores of those rows with the keys numbered from `first` on; keys are to be offered in order."""
        if self.compiled:
            from relviz.core.neighbour_kernels import offer_rows

            lists = self.scores[rows].numpy(), self.indices[rows].numpy()
            return in_threads(offer_rows, 0, len(scores), scores.numpy(), first, *lists)
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
            return in_threads(offer_columns, begin, scores.shape[1], scores.numpy(), first, *lists, origin)
        return self.offer(slice(origin + begin, origin + scores.shape[1]), scores[:, begin:].T, first=first)


def in_threads(kernel: Callable[..., None], begin: int, end: int, *arguments: object) -> None:
    """`kernel(begin, end, *arguments)`, its range cut into one part for each thread that torch would use.

    >>> in_threads(lambda begin, end, seen: seen.extend(range(begin, end)), 2, 5, seen := [])
    >>> sorted(seen)
    [2, 3, 4]
    """
    count = torch.get_num_threads()
    cuts = [begin + (end - begin) * i // count for i in range(count + 1)]
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(kernel, start, stop, *arguments) for start, stop in pairwise(cuts)]:
            done.result()


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
