"""Neighbour lists, ranks and retrieval of float32 rows are those of float64 arithmetic; ties go by one rule."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core import neighbours
from relviz.core.measures import MEASURES, Pair
from relviz.core.neighbours import nearest_by_cosine, nearest_by_distance

K = 10


def draw(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def clusters(n: int, d: int, apart: float) -> Tensor:
    return draw(n, d) + apart * draw(5, d, 7)[torch.arange(n) % 5]


def around_one_direction(cosine: float) -> Callable[[int, int], Tensor]:
    """Rows whose mean cosine with each other is about as given."""
    return lambda n, d: draw(n, d) + (d * cosine / (1 - cosine) / d) ** 0.5


def outlier(n: int, d: int) -> Tensor:
    x = draw(n, d)
    x[3] *= 1e4
    return x


SPACES: dict[str, Callable[[int, int], Tensor]] = {
    **{f"mean cosine {cosine}": around_one_direction(cosine) for cosine in (0.5, 0.9, 0.99, 0.999, 0.99999)},
    **{f"offset {offset:g}": lambda n, d, offset=offset: draw(n, d) + offset for offset in (1e3, 1e5, 1e7)},
    "scales over four decades": lambda n, d: draw(n, d) * torch.logspace(-2, 2, d),
    "scales and offsets": lambda n, d: (draw(n, d) + 30) * torch.logspace(-2, 2, d),
    "clusters 1e4 sigma apart": lambda n, d: clusters(n, d, 1e4),
    "one sample times 1e4": outlier,
    "low rank": lambda n, d: draw(n, 3) @ draw(3, d, 1) + 5,
    "rectified": lambda n, d: draw(n, d).clamp_min(0) + 1,
}


def other(x: Tensor) -> Tensor:
    """A second encoder: the same rows, with noise of half the size of what varies, on its own scale."""
    noise = draw(*x.shape, 5) * (x - x.mean(0)).std(0) / 2
    return (3 * (x + noise)).float()


def squares(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances in float64 from the differences, which keep the digits that products lose."""
    return torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist") ** 2


def below_one(a: Tensor, b: Tensor) -> Tensor:
    """Cosines less 1."""
    return squares(*(x.double() / x.double().norm(dim=1, keepdim=True) for x in (a, b))) / -2


def lists(scores: Tensor, k: int) -> Tensor:
    return scores.sort(dim=1, descending=True, stable=True).indices[:, :k]


def others(scores: Tensor, k: int = K) -> Tensor:
    return lists(scores.clone().fill_diagonal_(-torch.inf), k)


def overlap(a: Tensor, b: Tensor) -> float:
    shared = (a[:, :, None] == b[:, None, :]).any(2).double().sum(1)
    return float((shared / (2 * a.shape[1] - shared)).mean())


def expected(a: Tensor, b: Tensor, k: int = K) -> dict[str, float]:
    """Every measure of neighbours, written out in float64; no ties."""
    crossed = below_one(a, b)
    rank = 1 + (crossed > crossed.diagonal()[:, None]).sum(1)
    near_a, near_b = others(below_one(a, a), k), others(below_one(b, b), k)
    own = torch.arange(len(a))[:, None]
    shared = (near_a[:, :, None] == near_b[:, None, :]).any(2).double().sum(1) / k
    return {
        "mrr": float(torch.where(rank <= k, 1 / rank.double(), 0.0).mean()),
        "mrr-full": float((1 / rank.double()).mean()),
        "jaccard": overlap(lists(crossed, k), torch.cat([own, near_b[:, : k - 1]], dim=1)),
        "mutual-knn": float(shared.mean()),
        "neighbour-jaccard": overlap(near_a, near_b),
        "cosine": 1 + float(crossed.diagonal().mean()),
    }


def found(a: Tensor, b: Tensor, k: int = K) -> dict[str, float]:
    pair = Pair(a, b, k=k)
    pair.flipped.retrieval  # noqa: B018 both directions in one pass
    return {name: MEASURES[name](pair).value for name in expected(a[:20], b[:20])}


@pytest.fixture(params=["torch", "compiled"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled":
        monkeypatch.setattr(neighbours, "COMPILED_FROM", 1)
        monkeypatch.setattr("relviz.core.points._COMPILED_FROM", 1)
    return request.param


@pytest.mark.parametrize("name", SPACES)
def test_measures_of_neighbours_are_those_of_float64(name: str, path: str) -> None:
    a = SPACES[name](500, 24).float()
    b = other(a.double())
    # At an offset of 1e7 float32 holds whole numbers only: many cosines differ by what float64 cannot tell apart.
    assert found(a, b) == pytest.approx(expected(a, b), abs=0.003 if name == "offset 1e+07" else 1e-9)


@pytest.mark.parametrize("name", SPACES)
def test_lists_are_those_of_float64(name: str, path: str) -> None:
    x = SPACES[name](500, 24).float()
    near, similarities = nearest_by_cosine(x, K)
    for scores, listed in ((below_one(x, x), near), (-squares(x, x), nearest_by_distance(x, K))):
        torch.testing.assert_close(scores.gather(1, listed), scores.gather(1, others(scores)), rtol=1e-7, atol=1e-14)
        assert (listed == others(scores)).double().mean() > (0.8 if name == "offset 1e+07" else 0.999)
    torch.testing.assert_close(similarities.double() - 1, below_one(x, x).gather(1, near), rtol=0, atol=1e-7)
