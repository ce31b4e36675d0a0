"""Anchor strategies: which gallery samples become anchors.

Every strategy is seeded, returns row numbers of the gallery in the order that the relative coordinates
will have, and never returns a row twice. A new one is one function and one line in `STRATEGIES`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Tensor

from relviz.errors import BadChoice, UnknownName


def uniform(labels: Int[Tensor, n], count: int, *, seed: int) -> Int[Tensor, k]:
    """`count` rows drawn uniformly without replacement. Source: 2209.15430, the default of its evaluations.

    >>> uniform(torch.zeros(10, dtype=torch.int64), 3, seed=0).shape
    torch.Size([3])
    """
    return torch.randperm(len(labels), generator=_generator(seed))[:count]


def class_balanced(labels: Int[Tensor, n], count: int, *, seed: int) -> Int[Tensor, k]:
    """Rows shuffled, then taken round robin over the classes in sorted order, so that classes differ by at most one
    until one runs out. Source: 2209.15430, the "stratified subset" of its image experiments.

    >>> rows = class_balanced(torch.tensor([0, 0, 0, 0, 1, 1]), 4, seed=0)
    >>> torch.tensor([0, 0, 0, 0, 1, 1])[rows].tolist()
    [0, 1, 0, 1]
    """
    order = torch.randperm(len(labels), generator=_generator(seed))
    shuffled = labels[order]
    turn = torch.empty_like(order)  # how many of its class come before each row
    for label in torch.unique(labels):
        members = (shuffled == label).nonzero().squeeze(1)
        turn[members] = torch.arange(len(members))
    by_class_then_turn = torch.argsort(shuffled, stable=True)
    by_turn = torch.argsort(turn[by_class_then_turn], stable=True)
    return order[by_class_then_turn[by_turn]][:count]


STRATEGIES: dict[str, Callable[..., Tensor]] = {
    "uniform": uniform,
    "class-balanced": class_balanced,
}


def select_anchors(labels: Int[Tensor, n], *, strategy: str, count: int, seed: int) -> Int[Tensor, k]:
    """Anchor rows of a gallery by a named strategy.

    Parameters
    ----------
    labels: classes of the gallery's n samples.
    count: number of anchors k, 1 to n.
    seed: 0 or more; equal seeds give equal anchors.

    Raises
    ------
    UnknownName: no such strategy.
    BadChoice: count or seed out of range.

    >>> select_anchors(torch.tensor([0, 1, 0, 1]), strategy="uniform", count=4, seed=1).sort().values.tolist()
    [0, 1, 2, 3]
    """
    if strategy not in STRATEGIES:
        raise UnknownName("anchor strategy", strategy, STRATEGIES)
    if count < 1:
        raise BadChoice(f"{count} anchors are too few.", "Choose at least 1.")
    if count > len(labels):
        raise BadChoice(
            f"{count} anchors are more than the {len(labels)} gallery rows.", f"Choose at most {len(labels)}."
        )
    if seed < 0:
        raise BadChoice(f"The seed {seed} is negative.", "Choose 0 or more.")
    return STRATEGIES[strategy](labels, count, seed=seed)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
