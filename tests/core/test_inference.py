"""Null bands and intervals: determinism, meaning, coverage, refusals."""

from typing import Any

import pytest
import torch
from torch import Tensor

from relviz.core.inference import bootstrap_interval, null_band
from relviz.core.measures import MEASURES, Measure, Pair
from relviz.errors import BadChoice


def spaces(seed: int = 0, n: int = 100) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(n, 4, generator=g)
    return a, a + 0.6 * torch.randn(n, 4, generator=g)


def value(measure: Measure, a: Tensor, b: Tensor) -> float:
    found = measure(Pair(a, b, k=5)).value
    assert found is not None
    return found


@pytest.mark.parametrize("function", [null_band, bootstrap_interval])
def test_equal_seeds_give_equal_ends_and_others_do_not(function: Any) -> None:
    first, again, other = (function(*spaces(), MEASURES["cka"], k=5, draws=10, seed=seed) for seed in (3, 3, 4))
    assert first == again != other
    assert first[0] < first[1]


def test_the_ends_of_a_null_band_are_ranks_of_permuted_values() -> None:
    a, b = spaces()
    g = torch.Generator().manual_seed(9)
    values = torch.tensor([value(MEASURES["rsa"], a, b[torch.randperm(100, generator=g)]) for _ in range(11)]).double()
    found = null_band(a, b, MEASURES["rsa"], k=5, draws=11, seed=9, level=2 / 3)  # the second of 12 places on each side
    assert found == pytest.approx(values.sort().values[[1, 9]].tolist(), abs=1e-6)
    widest = null_band(a, b, MEASURES["rsa"], k=5, draws=11, seed=9)  # as far as so few draws go
    assert widest == pytest.approx(values.sort().values[[0, 10]].tolist(), abs=1e-6)


@pytest.mark.parametrize("name", ["mutual-knn", "neighbour-jaccard", "mrr-full"])
def test_chance_lies_within_the_null_band(name: str) -> None:
    a, b = spaces()
    low, high = null_band(a, b, MEASURES[name], k=5, draws=100, seed=0) or (1, 0)
    chance = MEASURES[name](Pair(a, b, k=5)).chance
    assert chance is not None and low < chance < high


@pytest.mark.parametrize("name", ["cka", "cka-debiased", "procrustes", "neighbour-jaccard", "mrr", "cosine"])
def test_intervals_are_as_wide_as_the_spread_over_fresh_samples(name: str) -> None:
    measure = MEASURES[name]
    fresh = torch.tensor([value(measure, *spaces(seed)) for seed in range(100, 220)])
    widths = []
    for seed in range(6):
        low, high = bootstrap_interval(*spaces(seed), measure, k=5, draws=60, seed=0) or (0, 0)
        widths.append((high - low) / (2 * 1.96))
    assert 0.6 < float(torch.tensor(widths).mean() / fresh.std()) < 1.7


@pytest.mark.parametrize("name", MEASURES)
def test_intervals_lie_in_the_range_and_hold_the_value(name: str) -> None:
    a, b = spaces(n=40)
    low, high = bootstrap_interval(a, b, MEASURES[name], k=5, draws=8, seed=0) or (1, 0)
    assert MEASURES[name].low <= low <= value(MEASURES[name], a, b) <= high <= MEASURES[name].high


@pytest.mark.parametrize("function", [null_band, bootstrap_interval])
@pytest.mark.parametrize("name", MEASURES)
def test_what_is_undefined_has_no_ends(name: str, function: Any) -> None:
    a = spaces()[0]
    assert function(a, torch.full_like(a, torch.nan), MEASURES[name], k=5, draws=5, seed=0) is None


@pytest.mark.parametrize("function", [null_band, bootstrap_interval])
@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"draws": 1}, "1 draws are too few"),
        ({"seed": -1}, "seed -1 is negative"),
        ({"level": 1.0}, "level of 1.0 is not between 0 and 1"),
        ({"k": 100}, "k = 100 is not between 1 and 99"),
    ],
)
def test_bad_choices_are_refused_in_one_sentence(function: Any, choice: dict[str, Any], words: str) -> None:
    with pytest.raises(BadChoice, match=words):
        function(*spaces(), MEASURES["cka"], **({"k": 5, "draws": 5, "seed": 0} | choice))


def test_subsets_must_hold_more_than_k_samples() -> None:
    with pytest.raises(BadChoice, match="Subsets of 80 samples are too few for k = 80"):
        bootstrap_interval(*spaces(), MEASURES["jaccard"], k=80, seed=0)
