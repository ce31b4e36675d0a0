"""Anchor strategies: which gallery samples become anchors.

Every strategy is seeded, returns row numbers of the gallery in the order that the relative coordinates
will have, and never returns a row twice. A new one is one function and one line in `STRATEGIES`.

Anchors chosen by hand come through `parse_anchor_ids` and `explicit_anchors`; anchors that two data sets share, such as
translations of one text, through `parallel_anchors`. Out-of-domain anchors are any of these on the gallery of another
data set, whose vectors then stand beside the samples' in a projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.anchor_ids import check_count, explicit_anchors, generator, parallel_anchors, parse_anchor_ids
from relviz.core.distances import by_blocks, checked
from relviz.core.neighbours import nearest_by_cosine, unit_rows
from relviz.core.options import check_options
from relviz.core.registry import TRANSFORMATIONS, Entry, Option
from relviz.errors import BadChoice, UnknownName

__all__ = [
    "STRATEGIES",
    "Gallery",
    "Strategy",
    "class_balanced",
    "density",
    "explicit_anchors",
    "farthest_point",
    "frequent",
    "k_means",
    "parallel_anchors",
    "parse_anchor_ids",
    "select_anchors",
    "strategies_for",
    "uniform",
]

_LLOYD_STEPS = 20  # after which k-means moves its centres hardly at all


@dataclass(frozen=True)
class Gallery:
    """What is known of the n samples that anchors are chosen from; None where it is not known.

    Attributes
    ----------
    labels: classes.
    vectors: absolute vectors, `n x d`.
    frequencies: how often each sample occurs, such as a word in its corpus.
    """

    labels: Int[Tensor, "n"] | None = None
    vectors: Float[Tensor, "m d"] | None = None
    frequencies: Float[Tensor, "l"] | Int[Tensor, "l"] | None = None

    @property
    def known(self) -> frozenset[str]:
        """Names of the attributes that are given."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)

    def __len__(self) -> int:
        return max((len(getattr(self, name)) for name in self.known), default=0)


def uniform(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """`count` rows drawn uniformly without replacement. Source: 2209.15430, the default of its evaluations.

    >>> uniform(Gallery(torch.zeros(10, dtype=torch.int64)), 3, seed=0).shape
    torch.Size([3])
    """
    return torch.randperm(len(gallery), generator=generator(seed))[:count]


def class_balanced(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """Rows shuffled, then taken round robin over the classes in sorted order, so that classes differ by at most one
    until one runs out. Source: 2209.15430, the "stratified subset" of its image experiments.

    >>> labels = torch.tensor([0, 0, 0, 0, 1, 1])
    >>> labels[class_balanced(Gallery(labels), 4, seed=0)].tolist()
    [0, 1, 0, 1]
    """
    labels = _needed(gallery, "labels").cpu()
    order = torch.randperm(len(labels), generator=generator(seed))
    shuffled = labels[order]
    turn = torch.empty_like(order)  # how many of its class come before each row
    for label in torch.unique(labels):
        members = (shuffled == label).nonzero().squeeze(1)
        turn[members] = torch.arange(len(members))
    by_class_then_turn = torch.argsort(shuffled, stable=True)
    by_turn = torch.argsort(turn[by_class_then_turn], stable=True)
    return order[by_class_then_turn[by_turn]][:count]


def k_means(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """The samples nearest to `count` centres of k-means on unit vectors, by cosine; a sample nearest to two centres
    serves the first, and the next takes its nearest free one.

    Lloyd's algorithm from the samples of k-means++, at most 20 steps, centres brought back to length one (spherical
    k-means). Source: 2209.15430, the k-means anchors of its code; Arthur and Vassilvitskii 2007 for the start.

    >>> vectors = torch.tensor([[1.0, 0.0], [0.99, 0.1], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> sorted(k_means(Gallery(vectors=vectors), 2, seed=1).tolist())[0] < 3
    True
    """
    unit = _unit(gallery)
    centres = unit[_apart(unit, count, seed=seed)]
    nearest = None
    for _ in range(_LLOYD_STEPS):
        found = _best(unit, centres)
        if nearest is not None and found.equal(nearest):
            break
        nearest = found
        sums = torch.zeros_like(centres).index_add_(0, nearest, unit)
        # A centre that lost all its samples stays where it is.
        centres = torch.where((sums == 0).all(1, keepdim=True), centres, unit_rows(sums))
    return _distinct(unit, centres)


def farthest_point(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """A random sample, then again and again the one whose nearest anchor is farthest, on unit vectors.

    One matrix-vector product per anchor. Ties go to the first row. Source: 2209.15430, its farthest point sampling.

    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]])
    >>> 2 in farthest_point(Gallery(vectors=vectors), 2, seed=0).tolist()
    True
    """
    unit = _unit(gallery)
    row = int(uniform(gallery, 1, seed=seed))
    rows = [row]
    nearest = torch.full((len(unit),), -torch.inf, dtype=unit.dtype, device=unit.device)  # cosine to the nearest anchor
    for _ in range(count - 1):
        torch.maximum(nearest, unit @ unit[row], out=nearest)
        nearest[row] = torch.inf  # whatever rounding says, it is not chosen again
        row = int(nearest.argmin())
        rows.append(row)
    return torch.tensor(rows)


def frequent(gallery: Gallery, count: int, *, seed: int, pool: int = 5000) -> Int[Tensor, "k"]:
    """Rows drawn uniformly among the most frequent. Source: 2209.15430, its anchors among the most frequent words.

    Parameters
    ----------
    pool: how many of the most frequent rows may be drawn; at least `count` always may. Ties go to the first row.

    >>> frequent(Gallery(frequencies=torch.tensor([1, 9, 1, 8])), 2, seed=0, pool=2).sort().values.tolist()
    [1, 3]
    """
    order = torch.argsort(_needed(gallery, "frequencies").cpu(), descending=True, stable=True)[: max(pool, count)]
    return order[torch.randperm(len(order), generator=generator(seed))][:count]


def density(gallery: Gallery, count: int, *, seed: int, neighbours: int = 10) -> Int[Tensor, "k"]:
    """The most typical samples, those nearest to their own neighbours by cosine, spread over the space.

    In order of the mean cosine distance to the `neighbours` nearest others; a sample among the neighbours of one chosen
    before is passed over. When all are chosen or passed over, the passed ones get another turn, in the same way.
    The seed only orders samples that are equally typical. Source: relviz, greedy suppression as in object detection.

    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.1, 1.0], [-1.0, 0.0]])
    >>> density(Gallery(vectors=vectors), 2, seed=0, neighbours=1).tolist()[1] in (2, 3)
    True
    """
    unit = _unit(gallery)
    if len(unit) == 1:
        return torch.zeros(1, dtype=torch.int64)
    nearest, similarities = nearest_by_cosine(unit, min(neighbours, len(unit) - 1))
    shuffled = torch.randperm(len(unit), generator=generator(seed))
    order = shuffled[torch.argsort(similarities.mean(1).cpu()[shuffled], descending=True, stable=True)]
    return torch.tensor(_spread(order.tolist(), nearest.tolist(), count))


@dataclass(frozen=True, kw_only=True)
class Strategy(Entry[Callable[..., Tensor]]):
    """One registered strategy.

    Attributes
    ----------
    needs: attributes of `Gallery` that it reads.
    """

    needs: frozenset[str] = frozenset()


_BLIND = frozenset(TRANSFORMATIONS)  # reads no vectors
_ANGLES = frozenset({"isotropic scale", "orthogonal", "permutation"})

STRATEGIES: dict[str, Strategy] = {
    "uniform": Strategy(
        label="Uniform",
        function=uniform,
        summary="any sample, with equal chance",
        source="2209.15430",
        invariances=_BLIND,
    ),
    "class-balanced": Strategy(
        label="Class-balanced",
        function=class_balanced,
        summary="equally many of each class",
        source="2209.15430",
        invariances=_BLIND,
        needs=frozenset({"labels"}),
    ),
    "k-means": Strategy(
        label="k-means",
        function=k_means,
        summary="the samples nearest to cluster centres, from k-means++",
        source="2209.15430",
        invariances=_ANGLES,
        needs=frozenset({"vectors"}),
    ),
    "farthest-point": Strategy(
        label="Farthest point",
        function=farthest_point,
        summary="each as far from the others as there is one",
        source="2209.15430",
        invariances=_ANGLES,
        needs=frozenset({"vectors"}),
    ),
    "frequent": Strategy(
        label="Frequent",
        function=frequent,
        summary="any of the most frequent samples",
        source="2209.15430",
        invariances=_BLIND,
        options=(Option("pool", 5000, "how many of the most frequent may be drawn", low=1.0),),
        needs=frozenset({"frequencies"}),
    ),
    "density": Strategy(
        label="Density",
        function=density,
        summary="the most typical samples, spread out",
        source="relviz",
        invariances=_ANGLES,
        options=(Option("neighbours", 10, "others that a typical sample is near to", low=1.0, high=100.0),),
        needs=frozenset({"vectors"}),
    ),
}


def strategies_for(gallery: Gallery) -> list[str]:
    """Names of the strategies that can choose from a gallery.

    >>> strategies_for(Gallery(labels=torch.tensor([0, 1])))
    ['uniform', 'class-balanced']
    """
    return [name for name, strategy in STRATEGIES.items() if strategy.needs <= gallery.known]


def select_anchors(
    labels: Int[Tensor, "n"] | None,
    *,
    strategy: str,
    count: int,
    seed: int,
    vectors: Float[Tensor, "m d"] | None = None,
    frequencies: Float[Tensor, "l"] | Int[Tensor, "l"] | None = None,
    **options: Any,
) -> Int[Tensor, "k"]:
    """Anchor rows of a gallery by a named strategy.

    Parameters
    ----------
    labels: classes of the gallery's n samples.
    count: number of anchors k, 1 to n.
    seed: 0 or more; equal seeds give equal anchors.
    vectors, frequencies: what else is known of the n samples; some strategies need it.
    options: further keywords that the strategy declares.

    Raises
    ------
    UnknownName: no such strategy, or no such option of it.
    BadChoice: count, seed or an option out of range, something that the strategy needs is missing, unlike numbers of
        rows, or vectors or frequencies that are not finite.

    >>> select_anchors(torch.tensor([0, 1, 0, 1]), strategy="uniform", count=4, seed=1).sort().values.tolist()
    [0, 1, 2, 3]
    """
    if strategy not in STRATEGIES:
        raise UnknownName("anchor strategy", strategy, STRATEGIES)
    entry, gallery = STRATEGIES[strategy], Gallery(labels, vectors, frequencies)
    _check_gallery(gallery)
    check_count(count, len(gallery), "gallery rows", seed=seed)
    check_options(entry, options)
    return entry.function(gallery, count, seed=seed, **options)


def _check_gallery(gallery: Gallery) -> None:
    sizes = {name: len(getattr(gallery, name)) for name in sorted(gallery.known)}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} {name}" for name, size in sizes.items())
        raise BadChoice(f"The gallery has unlike numbers of rows: {told}.", "Give one of each for every sample.")


def _needed(gallery: Gallery, what: str) -> Tensor:
    """An attribute of the gallery that must be there and finite."""
    values: Tensor | None = getattr(gallery, what)
    if values is None:
        raise BadChoice(f"This anchor strategy needs {what} of the gallery, and there are none.", "Choose another one.")
    if values.is_floating_point():
        checked(values, what)
    return values.detach()


def _unit(gallery: Gallery) -> Tensor:
    """The gallery's vectors at length one; first at largest value one, since squares of huge values overflow."""
    x = _needed(gallery, "vectors")
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    return unit_rows(x / x.abs().amax(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny))


def _apart(unit: Tensor, count: int, *, seed: int) -> Tensor:
    """Rows of k-means++: each drawn with a chance proportional to its squared distance from the nearest one before.

    All random numbers come from the CPU, so that a seed means the same on every device.
    """
    numbers = torch.rand(count, generator=generator(seed), dtype=torch.float64)
    rows = list[int]()
    far = 2 * unit.square().sum(1).double().cpu()  # of unit vectors 2, of zero vectors 0: never drawn
    for number in numbers:
        held = far.cumsum(0)
        rows.append(min(int(torch.searchsorted(held, number * held[-1], right=True)), len(unit) - 1))
        far = torch.minimum(far, (2 - 2 * (unit @ unit[rows[-1]])).double().cpu().clamp_min(0))
        far[rows[-1]] = 0
    return torch.tensor(rows, device=unit.device)


def _best(x: Tensor, centres: Tensor) -> Tensor:
    """For each row the centre with the largest inner product."""
    return by_blocks(lambda rows: (rows @ centres.T).argmax(1), x, columns=len(centres))


def _distinct(x: Tensor, centres: Tensor) -> Tensor:
    """For each centre the row with the largest inner product that no earlier centre took.

    The first of those equal but for rounding, of which every cluster of two has a pair.
    """
    free = torch.ones(len(x), dtype=torch.bool, device=x.device)
    rows = by_blocks(lambda some: _first_highest(some @ x.T), centres, columns=len(x)).tolist()
    for place, centre in enumerate(centres):
        if not free[rows[place]]:
            rows[place] = int(_first_highest((x @ centre).masked_fill(~free, -torch.inf)[None]))
        free[rows[place]] = False
    return torch.tensor(rows)


def _first_highest(scores: Tensor) -> Tensor:
    highest = scores >= scores.amax(1, keepdim=True) - 16 * torch.finfo(scores.dtype).eps
    places = torch.arange(scores.shape[1], device=scores.device)
    return torch.where(highest, places, scores.shape[1]).amin(1)


def _spread(order: list[int], nearest: list[list[int]], count: int) -> list[int]:
    """The first `count` of an order in which rows stand back for neighbours before them, turn by turn."""
    chosen: list[int] = []
    while len(chosen) < count:
        passed, blocked = [], set[int]()
        for row in order:
            if row in blocked:
                passed.append(row)
            else:
                chosen.append(row)
                blocked.update(nearest[row])
        order = passed
    return chosen[:count]
