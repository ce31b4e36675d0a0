"""How sure a measured value is: what unrelated spaces would give, and how far another sample could move it."""

from __future__ import annotations

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
    """The middle share `level` of the measure's values when the rows of B are permuted.

    Permuted samples no longer correspond: a value above the band (below it, for a distance) is more than two unrelated
    spaces of these shapes give. None where the measure is undefined. Source: the permutation test of independence of
    Gretton et al. 2007, A kernel statistical test of independence.

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
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = values.quantile(ends).tolist()
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
    """Confidence interval of the measure over other samples of the same kind, by resampling rows of both spaces.

    Rows drawn with replacement would be their own copies' nearest neighbours and inflate every neighbour measure and
    debiased CKA. So each draw is a subset without replacement that leaves out a fifth of the samples, and the variance
    is that of the delete-d jackknife, (n - d) / d times the variance over subsets, which holds for statistics that are
    not smooth too. The interval is normal about the value of all samples and clipped to the measure's range. A value
    that depends on n in itself (neighbour measures at fixed k, biased CKA) enters only by its spread. Too narrow
    where the value is near an end of the range. Source: Shao and Wu 1989 (10.1214/aos/1176347263).

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
    if (value := measure(pair).value) is None:
        return None
    subsets = (order[:kept].sort().values for order in _orders(pair.n, draws, seed))
    values = _values(measure, (Pair(pair.a[rows], pair.b[rows], k=k, memory=memory) for rows in subsets), on_draw)
    if len(values) < 2:
        return None
    deviation = float(values.std()) * (kept / left_out) ** 0.5
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation
    return max(measure.low, value - reach), min(measure.high, value + reach)


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
