"""How many entries lists of neighbours share."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def kept_share(truth: Int[Tensor, "n k"], found: Int[Tensor, "n k"]) -> Float[Tensor, "n"]:
    """Share of each row's true neighbours that are among the found ones, in [0, 1]; chance is k / (n - 1).

    Raises nothing beyond shape mismatches.

    >>> kept_share(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [0.5]
    """
    return shared_count(truth, found).double() / truth.shape[1]


def jaccard_index(a: Int[Tensor, "n k"], b: Int[Tensor, "n k"]) -> Float[Tensor, "n"]:
    """Intersection over union of each row's entries in `a` and in `b`, in [0, 1] (no row repeats an entry).

    Raises nothing beyond shape mismatches.

    >>> jaccard_index(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [0.3333333333333333]
    """
    shared = shared_count(a, b).double()
    return shared / (2 * a.shape[1] - shared)


def shared_count(a: Int[Tensor, "n k"], b: Int[Tensor, "n k"]) -> Int[Tensor, "n"]:
    """How many entries each row of `a` shares with the same row of `b` (no row repeats an entry), 0 to k.

    Raises nothing beyond shape mismatches.

    >>> shared_count(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).tolist()
    [1]
    """
    # Sorted side by side, an entry of both rows stands next to itself: k log k a row, where comparing all is k^2.
    both = torch.cat([a, b], dim=1).sort(dim=1).values
    return (both[:, 1:] == both[:, :-1]).sum(1)
