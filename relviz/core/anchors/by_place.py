"""Strategies that spread anchors over the space."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from relviz.core.anchors.by_chance import uniform
from relviz.core.anchors.entry import ANGLES, STRATEGIES, Strategy
from relviz.core.anchors.gallery import Gallery, unit_vectors
from relviz.core.anchors.ids import generator
from relviz.core.blocks import by_blocks
from relviz.core.neighbours import nearest_by_cosine, unit_rows
from relviz.core.registry import Option

_LLOYD_STEPS = 20  # after which k-means moves its centres hardly at all


def k_means(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """The samples nearest to `count` centres of k-means on unit vectors, by cosine; a sample nearest to two centres
    serves the first, and the next takes its nearest free one.

    Lloyd's algorithm from the samples of k-means++, at most 20 steps, centres brought back to length one (spherical
    k-means). Source: 2209.15430, the k-means anchors of its code; Arthur and Vassilvitskii 2007 for the start.

    Raises
    ------
    BadChoice: the gallery has no vectors, or they are not finite.

    >>> vectors = torch.tensor([[1.0, 0.0], [0.99, 0.1], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> sorted(k_means(Gallery(vectors=vectors), 2, seed=1).tolist())[0] < 3
    True
    """
    unit = unit_vectors(gallery)
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


STRATEGIES["k-means"] = Strategy(
    label="k-means",
    function=k_means,
    summary="the samples nearest to cluster centres, from k-means++",
    source="2209.15430",
    invariances=ANGLES,
    needs=frozenset({"vectors"}),
)


def farthest_point(gallery: Gallery, count: int, *, seed: int) -> Int[Tensor, "k"]:
    """A random sample, then again and again the one whose nearest anchor is farthest, on unit vectors.

    One matrix-vector product per anchor. Ties go to the first row. Source: 2209.15430, its farthest point sampling.

    Raises
    ------
    BadChoice: the gallery has no vectors, or they are not finite.

    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]])
    >>> 2 in farthest_point(Gallery(vectors=vectors), 2, seed=0).tolist()
    True
    """
    unit = unit_vectors(gallery)
    row = int(uniform(gallery, 1, seed=seed))
    rows = [row]
    nearest = torch.full((len(unit),), -torch.inf, dtype=unit.dtype, device=unit.device)  # cosine to the nearest anchor
    for _ in range(count - 1):
        torch.maximum(nearest, unit @ unit[row], out=nearest)
        nearest[row] = torch.inf  # whatever rounding says, it is not chosen again
        row = int(nearest.argmin())
        rows.append(row)
    return torch.tensor(rows)


STRATEGIES["farthest-point"] = Strategy(
    label="Farthest point",
    function=farthest_point,
    summary="each as far from the others as there is one",
    source="2209.15430",
    invariances=ANGLES,
    needs=frozenset({"vectors"}),
)


def density(gallery: Gallery, count: int, *, seed: int, neighbours: int = 10) -> Int[Tensor, "k"]:
    """The most typical samples, those nearest to their own neighbours by cosine, spread over the space.

    In order of the mean cosine distance to the `neighbours` nearest others; a sample among the neighbours of one chosen
    before is passed over. When all are chosen or passed over, the passed ones get another turn, in the same way.
    The seed only orders samples that are equally typical. Source: relviz, greedy suppression as in object detection.

    Raises
    ------
    BadChoice: the gallery has no vectors, or they are not finite.

    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.1, 1.0], [-1.0, 0.0]])
    >>> density(Gallery(vectors=vectors), 2, seed=0, neighbours=1).tolist()[1] in (2, 3)
    True
    """
    unit = unit_vectors(gallery)
    if len(unit) == 1:
        return torch.zeros(1, dtype=torch.int64)
    nearest, similarities = nearest_by_cosine(unit, min(neighbours, len(unit) - 1))
    shuffled = torch.randperm(len(unit), generator=generator(seed))
    order = shuffled[torch.argsort(similarities.mean(1).cpu()[shuffled], descending=True, stable=True)]
    return torch.tensor(_spread(order.tolist(), nearest.tolist(), count))


STRATEGIES["density"] = Strategy(
    label="Density",
    function=density,
    summary="the most typical samples, spread out",
    source="relviz",
    invariances=ANGLES,
    options=(Option("neighbours", 10, "others that a typical sample is near to", low=1.0, high=100.0),),
    needs=frozenset({"vectors"}),
)


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
