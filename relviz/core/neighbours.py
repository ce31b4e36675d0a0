"""Exact nearest neighbours, in blocks of rows so that no n x n matrix is ever held."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

BLOCK = 1024  # query rows per score block


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows scaled to length one; a zero row stays zero.

    >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).norm(dim=1).tolist()
    [1.0, 0.0]
    """
    return x / x.norm(dim=1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)


def score_blocks(queries: Float[Tensor, "m d"], keys: Float[Tensor, "n d"]) -> Iterator[tuple[int, Tensor]]:
    """Inner products of query rows with all keys: the first row's number and a block `b x n`, again and again."""
    for start in range(0, len(queries), BLOCK):
        yield start, queries[start : start + BLOCK] @ keys.T


def nearest_by_cosine(x: Float[Tensor, "n d"], k: int) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k nearest other rows of each row and their cosine similarities, nearest first.

    Parameters
    ----------
    k: 1 to n - 1.

    >>> nearest_by_cosine(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), 1)[0].tolist()
    [[1], [0], [1]]
    """
    unit = unit_rows(x)
    return _best_others(((start, scores) for start, scores in score_blocks(unit, unit)), k)


def nearest_by_distance(x: Float[Tensor, "n d"], k: int) -> Int[Tensor, "n k"]:
    """The k nearest other rows of each row by Euclidean distance, nearest first.

    >>> nearest_by_distance(torch.tensor([[0.0], [1.0], [5.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    x = x - x.mean(0)  # keeps the expansion below from cancelling
    squares = x.square().sum(1)
    return _best_others(((start, 2 * scores - squares) for start, scores in score_blocks(x, x)), k)[0]


def kept_share(truth: Int[Tensor, "n k"], found: Int[Tensor, "n k"]) -> Float[Tensor, n]:
    """Share of each row's true neighbours that are among the found ones, in [0, 1]; chance is k / (n - 1).

    >>> kept_share(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [0.5]
    """
    return shared_count(truth, found).double() / truth.shape[1]


def shared_count(a: Int[Tensor, "n k"], b: Int[Tensor, "n k"]) -> Int[Tensor, n]:
    """How many entries each row of `a` shares with the same row of `b` (no row repeats an entry).

    >>> shared_count(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [1]
    """
    parts = [(x[:, :, None] == y[:, None, :]).any(2).sum(1) for x, y in zip(a.split(8192), b.split(8192), strict=True)]
    return torch.cat(parts)


def _best_others(blocks: Iterator[tuple[int, Tensor]], k: int) -> tuple[Tensor, Tensor]:
    indices, scores = [], []
    for start, block in blocks:
        rows = torch.arange(len(block))
        block[rows, start + rows] = -torch.inf
        best = block.topk(k, dim=1)
        indices.append(best.indices)
        scores.append(best.values)
    return torch.cat(indices), torch.cat(scores)
