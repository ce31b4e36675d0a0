"""Strategies that draw."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from relviz.core.anchors.entry import BLIND, STRATEGIES, Strategy
from relviz.core.anchors.gallery import Gallery, needed
from relviz.core.anchors.ids import generator
from relviz.core.registry import Option


def uniform(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """`count` rows drawn uniformly without replacement. Source: 2209.15430, the default of its evaluations.

    Raises nothing for a count from 1 to n, which `select_anchors` checks.

    >>> uniform(Gallery(torch.zeros(10, dtype=torch.int64)), 3, seed=0).shape
    torch.Size([3])
    """
    return torch.randperm(len(gallery), generator=generator(seed))[:count]


STRATEGIES["uniform"] = Strategy(
    label="Uniform",
    function=uniform,
    summary="any sample, with equal chance",
    source="2209.15430",
    invariances=BLIND,
)


def class_balanced(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """Rows shuffled, then taken round robin over the classes in sorted order, so that classes differ by at most one
    until one runs out. Source: 2209.15430, the "stratified subset" of its image experiments.

    Raises
    ------
    BadChoice: the gallery has no labels.

    >>> labels = torch.tensor([0, 0, 0, 0, 1, 1])
    >>> labels[class_balanced(Gallery(labels), 4, seed=0)].tolist()
    [0, 1, 0, 1]
    """
    labels = needed(gallery, "labels").cpu()
    order = torch.randperm(len(labels), generator=generator(seed))
    shuffled = labels[order]
    turn = torch.empty_like(order)  # how many of its class come before each row
    for label in torch.unique(labels):
        members = (shuffled == label).nonzero().squeeze(1)
        turn[members] = torch.arange(len(members))
    by_class_then_turn = torch.argsort(shuffled, stable=True)
    by_turn = torch.argsort(turn[by_class_then_turn], stable=True)
    return order[by_class_then_turn[by_turn]][:count]


STRATEGIES["class-balanced"] = Strategy(
    label="Class-balanced",
    function=class_balanced,
    summary="equally many of each class",
    source="2209.15430",
    invariances=BLIND,
    needs=frozenset({"labels"}),
)


def frequent(gallery: Gallery, count: int, *, seed: int, pool: int = 5000) -> Int[Tensor, "k"]:
    """Rows drawn uniformly among the most frequent. Source: 2209.15430, its anchors among the most frequent words.

    Parameters
    ----------
    pool: how many of the most frequent rows may be drawn; at least `count` always may. Ties go to the first row.

    Raises
    ------
    BadChoice: the gallery has no frequencies, or they are not finite.

    >>> frequent(Gallery(frequencies=torch.tensor([1, 9, 1, 8])), 2, seed=0, pool=2).sort().values.tolist()
    [1, 3]
    """
    order = torch.argsort(needed(gallery, "frequencies").cpu(), descending=True, stable=True)[: max(pool, count)]
    return order[torch.randperm(len(order), generator=generator(seed))][:count]


STRATEGIES["frequent"] = Strategy(
    label="Frequent",
    function=frequent,
    summary="any of the most frequent samples",
    source="2209.15430",
    invariances=BLIND,
    options=(Option("pool", 5000, "how many of the most frequent may be drawn", low=1.0),),
    needs=frozenset({"frequencies"}),
)
