"""How sure a measured value is: what unrelated spaces would give, and how far another sample could move it.

Values of few samples are off what many give (Procrustes, whose rotation fits noise, is too near; CKA is too high): a
bias of order 1 / n, which subsets show in small. An interval therefore reaches from the value to the value corrected
for it, so that it covers both what samples of this size give on average and what very many give. Neighbour measures,
which have a level of chance, count places among n samples: only values of equal n are comparable, there is nothing to
correct, and their interval covers the mean at this n, rather too wide than too narrow. Shares of covered values at a
nominal 95 %, simulated, stand in `docs/methods.md`; `python -m benchmarks.coverage` counts them again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from statistics import NormalDist

import torch
from jaxtyping import Real
from torch import Tensor

from relviz import settings
from relviz.core.measures import Measure, Pair, Space
from relviz.errors import BadChoice

_LEFT_OUT = 5  # one in so many samples is left out of each draw


def null_band(
    a: Real[Tensor, "n d"],
    b: Real[Tensor, "n e"],
    measure: Measure,
    *,
    k: int,
    draws: int = 200,
    seed: int,
    level: float = 0.95,
    memory: int = settings.MEMORY,
    on_draw: Callable[[], None] = lambda: None,
) -> tuple[float, float] | None:
    """Where the measure's value lies with the chance `level` when the rows of B are permuted.

    Permuted samples no longer correspond: a value above the band (below it, for a distance) is more than two unrelated
    spaces of these shapes give. The ends have the ranks (draws + 1) (1 - level) / 2 and (draws + 1) (1 + level) / 2
    among the draws, counted from 1 and interpolated, so that the value of two independent spaces, which is one draw
    more, falls outside with chance 1 - level (less where values are tied); quantiles of few draws would lie too far
    in. With fewer than 2 / (1 - level) - 1 draws, 39 for 0.95, the ends are the least and the greatest draw and the
    band holds (draws - 1) / (draws + 1). None where the measure is undefined. Source: the permutation test of
    independence of Gretton et al. 2007, A kernel statistical test of independence.

    Parameters
    ----------
    k: neighbours of the retrieval measures, 1 to n - 1.
    draws: permutations, at least 2; the ends of a 0.95 band want 100 or more.
    seed: 0 or more; equal seeds give equal bands.
    level: above 0, below 1.
    memory: bytes that one block of a kernel may take.
    on_draw: called before each draw; what it raises ends the work.

    Returns
    -------
    low, high: in the measure's range.

    Raises
    ------
    BadChoice: what `Pair` refuses, or draws, seed or level out of range.

    >>> from relviz.core.measures import MEASURES
    >>> x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    >>> low, high = null_band(x, x, MEASURES["mutual-knn"], k=5, draws=20, seed=0)
    >>> high < 0.2
    True
    """
    _check(draws, seed, level)
    pair = Pair(a, b, k=k, memory=memory)
    if measure(pair).value is None:
        return None
    source, target = pair.space_a, pair.b  # A's own passes serve every draw
    orders = _orders(pair.n, draws, seed)
    permuted = (Pair(source, Space(target[order], memory=memory), k=k, memory=memory) for order in orders)
    values = _values(measure, permuted, on_draw)
    if len(values) < 2:
        return None
    low, high = (_at_rank(values, (len(values) + 1) * share) for share in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def bootstrap_interval(
    a: Real[Tensor, "n d"],
    b: Real[Tensor, "n e"],
    measure: Measure,
    *,
    k: int,
    draws: int = 100,
    seed: int,
    level: float = 0.95,
    memory: int = settings.MEMORY,
    on_draw: Callable[[], None] = lambda: None,
) -> tuple[float, float] | None:
    """Confidence interval of the measure over other samples of the same kind, by subsets of the rows of both spaces.

    Covers the mean value over samples of this size n; where n has no part in the measure's meaning, also the value of
    very many. Each draw leaves out a fifth of the samples: drawn with replacement, rows would be their own copies'
    nearest neighbours and inflate every neighbour measure and debiased CKA. The variance is the delete-d jackknife's,
    (n - d) / d times that over subsets, which holds for statistics that are not smooth too, and the interval is normal
    about the value, clipped to the measure's range. Source: Shao and Wu 1989 (10.1214/aos/1176347263).

    Parameters
    ----------
    k: neighbours of the retrieval measures; four fifths of the samples must be more than k.
    draws: subsets, at least 2; 100 know the width to 7 %.
    seed: 0 or more; equal seeds give equal intervals.
    level: above 0, below 1.
    memory: bytes that one block of a kernel may take.
    on_draw: called before each draw; what it raises ends the work.

    Returns
    -------
    low, high: in the measure's range; None where the measure is undefined, on all samples or on its subsets.

    Raises
    ------
    BadChoice: what `Pair` refuses, too few samples for subsets, or draws, seed or level out of range.

    >>> from relviz.core.measures import MEASURES
    >>> x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    >>> y = x + 0.5 * torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    >>> low, high = bootstrap_interval(x, y, MEASURES["cka"], k=5, draws=20, seed=0)
    >>> low < MEASURES["cka"](Pair(x, y, k=5)).value < high
    True
    """
    _check(draws, seed, level)
    pair = Pair(a, b, k=k, memory=memory)
    left_out = max(1, pair.n // _LEFT_OUT)
    kept = pair.n - left_out
    if kept <= k:
        raise BadChoice(f"Subsets of {kept} samples are too few for k = {k}.", "Choose a smaller k or more samples.")
    found = measure(pair)
    if found.value is None:
        return None
    subsets = (order[:kept].sort().values for order in _orders(pair.n, draws, seed))
    values = _values(measure, (Pair(pair.a[rows], pair.b[rows], k=k, memory=memory) for rows in subsets), on_draw)
    if len(values) < 2:
        return None
    deviations = NormalDist().inv_cdf((1 + level) / 2)
    low, high = _about(found.value, values, kept / left_out, deviations, biased=found.chance is None)
    return max(measure.low, low), min(measure.high, high)


def _about(value: float, values: Tensor, share: float, deviations: float, *, biased: bool) -> tuple[float, float]:
    """The interval of so many standard deviations about a value and about the one corrected for its bias.

    Parameters
    ----------
    values: on subsets.
    share: samples that a subset keeps, over those that it leaves out.
    biased: whether values of few samples are off those of many.
    """
    reach = deviations * float(values.std()) * share**0.5
    # A bias of b / n is one of b / kept on the subsets: their mean is off the value by the left-out part of it.
    bias = share * (float(values.mean()) - value) if biased else 0.0
    return value - max(bias, 0.0) - reach, value - min(bias, 0.0) + reach


def _at_rank(values: Tensor, rank: float) -> float:
    """The value of a rank from 1 on, interpolated between whole ones; the least or the greatest where there is none."""
    ordered, place = values.sort().values, min(max(rank, 1.0), float(len(values))) - 1
    return float(torch.lerp(ordered[math.floor(place)], ordered[math.ceil(place)], place % 1))


def _values(measure: Measure, pairs: Iterable[Pair], on_draw: Callable[[], None]) -> Tensor:
    """The defined values among those of many pairs."""
    found = []
    for pair in pairs:
        on_draw()
        found.append(measure(pair).value)
    return torch.tensor([value for value in found if value is not None], dtype=torch.float64)


def _orders(n: int, draws: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        yield torch.randperm(n, generator=generator)


def _check(draws: int, seed: int, level: float) -> None:
    if draws < 2:
        raise BadChoice(f"{draws} draws are too few.", "Choose at least 2.")
    if seed < 0:
        raise BadChoice(f"The seed {seed} is negative.", "Choose 0 or more.")
    if not 0 < level < 1:
        raise BadChoice(f"A level of {level} is not between 0 and 1.", "Choose 0.95, say.")
