"""Spaces wider than they have samples: the values of the plain formulas, without their d x d sums."""

import pytest
import torch
from torch import Tensor

from relviz import settings
from relviz.core.measures import MEASURES, Pair
from relviz.core.measures.space import Space
from relviz.errors import BadChoice

OF_MOMENTS = ("cka", "cka-debiased", "svcca", "pwcca", "procrustes")


def low_rank(n: int, d: int, *, seed: int) -> Tensor:
    """Rank 6, so that canonical correlations mean something though the space is wide."""
    g = torch.Generator().manual_seed(seed)
    shared = torch.randn(n, 6, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    own = shared + 0.5 * torch.randn(n, 6, generator=g, dtype=torch.float64)
    return own @ torch.randn(6, d, generator=g, dtype=torch.float64) + 3


@pytest.mark.parametrize("name", OF_MOMENTS)
def test_wide_spaces_have_the_value_of_their_features_sums(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = low_rank(30, 50, seed=0), low_rank(30, 40, seed=1)
    found = MEASURES[name](Pair(a, b, k=5)).value
    monkeypatch.setattr(Space, "narrow", property(lambda space: (space.x, None)))
    assert found == pytest.approx(MEASURES[name](Pair(a, b, k=5)).value, abs=1e-9)
    assert found is not None and 0.05 < found < 0.999


def test_a_very_wide_space_needs_no_square_of_its_width() -> None:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(40, 200_000, generator=g)  # its d x d sums would take 320 GB
    assert MEASURES["cka"](Pair(a, a.flip(1), k=5)).value == pytest.approx(1, abs=1e-5)


def test_sums_over_the_limit_are_refused_with_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MOMENTS", 2**10)
    a = low_rank(30, 50, seed=0)
    with pytest.raises(BadChoice, match=r"30 samples in 50 and 50 dimensions take \d+ GiB"):
        MEASURES["cka"](Pair(a, a, k=5))
