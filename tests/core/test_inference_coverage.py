"""What bands and intervals promise, counted over many simulated spaces: how often they hold what they should.

Binomial bounds of one in a thousand on either side, on fixed seeds.
"""

from functools import cache
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from relviz.core.inference import bootstrap_interval, null_band
from relviz.core.measures import MEASURES, Measure, Pair
from relviz.types import MeasureValue

D, K, NOISE = 8, 5, 0.6
SPREADS = torch.arange(1, D + 1, dtype=torch.float64) ** -0.5
SMOOTH = ("cka", "cka-debiased", "procrustes")


def spaces(seed: int, n: int, *, noise: float = NOISE) -> tuple[Tensor, Tensor]:
    """A cloud longer in some directions than in others, and itself with noise."""
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(n, D, generator=g) * SPREADS.float()
    return a, a + noise * torch.randn(n, D, generator=g)


def value(name: str, seed: int, n: int) -> float:
    found = MEASURES[name](Pair(*spaces(seed, n), k=K)).value
    assert found is not None
    return found


def of_very_many(name: str) -> float:
    """The value of a cloud without end, from its covariances."""
    own, noisy = SPREADS**2, SPREADS**2 + NOISE**2
    if name == "procrustes":
        return float(1 - own.sum() / (own.sum() * noisy.sum()).sqrt())
    return float(own.square().sum() / (own.norm() * noisy.norm()))


@cache
def intervals(name: str, n: int, count: int) -> Tensor:
    found = [bootstrap_interval(*spaces(s, n), MEASURES[name], k=K, draws=25, seed=s) for s in range(count)]
    return torch.tensor(found, dtype=torch.float64)


def few(count: int, share: float) -> float:
    """So many or fewer of `count` happen with chance 0.001 where each has the chance `share`; roughly."""
    return count * share - NormalDist().inv_cdf(0.999) * (count * share * (1 - share)) ** 0.5


def held(ends: Tensor, target: float) -> int:
    return int(((ends[:, 0] <= target) & (target <= ends[:, 1])).sum())


@pytest.mark.parametrize("name", SMOOTH)
def test_intervals_hold_what_very_many_samples_give(name: str) -> None:
    assert held(intervals(name, 60, 100), of_very_many(name)) >= few(100, 0.95)


@pytest.mark.parametrize("name", [*SMOOTH, "mutual-knn"])
def test_intervals_hold_the_mean_of_samples_of_their_size(name: str) -> None:
    count = 40 if name == "mutual-knn" else 100  # slower than the others
    mean = sum(value(name, seed, 60) for seed in range(1000, 1000 + 3 * count)) / (3 * count)
    assert held(intervals(name, 60, count), mean) >= few(count, 0.95)


def test_an_interval_that_is_too_narrow_is_noticed() -> None:
    ends = intervals("procrustes", 60, 100)
    middle, reach = ends.mean(1, keepdim=True), ends.diff(dim=1) / 4
    assert held(torch.cat([middle - reach, middle + reach], dim=1), of_very_many("procrustes")) < few(100, 0.95)


@pytest.mark.parametrize("name", ["cka", "procrustes", "mutual-knn"])
def test_unrelated_spaces_fall_outside_the_null_band_as_often_as_it_says(name: str) -> None:
    count, outside = 40 if name == "mutual-knn" else 150, 0
    for seed in range(count):
        a, b = spaces(seed, 30)[0], spaces(5000 + seed, 30)[0]
        low, high = null_band(a, b, MEASURES[name], k=K, draws=39, seed=seed) or (1, 0)
        found = MEASURES[name](Pair(a, b, k=K)).value
        assert found is not None
        outside += not low <= found <= high
    assert outside <= count - few(count, 0.95)


def test_a_null_band_is_exact_for_any_number_of_draws() -> None:
    """By a measure that is uniform and never tied: what falls outside is counted, not only bounded."""
    uniform = Measure(
        label="", function=lambda pair: MeasureValue(float(torch.special.ndtr(pair.b[0, 0])), None, pair.n), summary="",
        source="", low=0.0, high=1.0,
    )  # fmt: skip
    for draws, wanted in ((20, 2 / 21), (39, 0.05)):
        count, outside = 900, 0
        for seed in range(count):
            a, b = spaces(seed, 200)[0], spaces(77777 + seed, 200)[0]
            low, high = null_band(a, b, uniform, k=K, draws=draws, seed=seed) or (1, 0)
            outside += not low <= float(torch.special.ndtr(b[0, 0])) <= high
        assert few(count, wanted) <= outside <= count - few(count, 1 - wanted), draws
