"""Neighbour lists, ranks and retrieval of float32 rows are those of float64 arithmetic; ties go by one rule."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core.measures import MEASURES, Pair, Space
from relviz.core.neighbours import Best, best, nearest_by_cosine, nearest_by_distance, search
from relviz.core.reductions.nearness import nearest_rows

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
        monkeypatch.setattr(best, "COMPILED_FROM", 1)
        monkeypatch.setattr("relviz.core.neighbours.points._COMPILED_FROM", 1)
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


def marked(n: int, seed: int) -> Tensor:
    """Rows of 4 ones and 8 zeros, so inner products are whole numbers and many are equal."""
    order = torch.rand(n, 12, generator=torch.Generator().manual_seed(seed)).argsort(1)
    return (order < 4).float()


def tied() -> dict[str, Tensor]:
    x, whole = draw(200, 16).float() + 3, (8 * draw(200, 16)).round().float()
    zero = torch.cat([torch.zeros(3, 16), x[:100], torch.zeros(40, 16), x[100:]])
    return {
        "three copies of each row": x.repeat(3, 1),
        "neighbouring copies": x.repeat_interleave(3, 0),
        "copies of some rows": torch.cat([x, x[:30], x[:5]]),
        "more copies than neighbours": torch.cat([x[:50], x[:1].expand(70, 16), x[50:]]),
        "multiples": torch.cat([whole, 3 * whole, 7 * whole, -whole]),
        "rounded multiples": torch.cat([x, 0.1 * x, 3 * x]),
        "zero rows": zero,
        "one row only": x[:1].expand(150, 16),
        "one direction only": torch.arange(1.0, 151)[:, None] * x[:1].round(),
        "ones and zeros": marked(400, 0),
        "one feature": whole[:, :1],
        "one-hot rows": torch.eye(16).repeat(10, 1),
    }


BEST = ("mrr", "mrr-full", "jaccard", "mutual-knn", "neighbour-jaccard")


@pytest.mark.parametrize("name", tied())
def test_a_space_finds_itself_whatever_is_equal(name: str, path: str) -> None:
    a = tied()[name]
    copies = {"itself": a, "a copy": a.clone(), "a multiple": 0.25 * a, "float64": a.double()}
    for which, b in copies.items():
        pair = Pair(a, b, k=K)
        for one in (pair.flipped, pair):
            values = {name: MEASURES[name](one) for name in BEST}
            assert {found.value for found in values.values() if found.undefined is None} == {1.0}, which
            assert values["mrr"].value == values["jaccard"].value == 1.0
    # Which rows are in a list is settled in float64, their order within it may be that of rounded scores.
    listed, again = (Space(x).neighbours(K).sort(dim=1).values for x in (a, a.flip(1)))
    assert listed.equal(again)


@pytest.mark.parametrize("name", tied())
def test_lists_and_ranks_of_tied_rows_are_the_same_on_every_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a = tied()[name]
    b = a.flip(0).contiguous()

    def results(a: Tensor, b: Tensor) -> list[Tensor]:
        pair = Pair(a, b, k=K)
        back = pair.flipped
        found = [back.crossing.found, pair.crossing.found, pair.neighbours_a, pair.neighbours_b]
        members = [some.sort(dim=1).values for some in found]  # measures do not read their order
        return [*members, back.crossing.rank, pair.crossing.rank, nearest_by_distance(a, K)]

    expected = results(a.double(), b.double())
    monkeypatch.setattr(search, "BLOCK", 64)
    blocked = results(a, b)
    monkeypatch.setattr(best, "COMPILED_FROM", 1)
    monkeypatch.setattr("relviz.core.neighbours.points._COMPILED_FROM", 1)
    for torch_path, compiled, wanted in zip(blocked, results(a, b), expected, strict=True):
        assert torch_path.equal(wanted) and compiled.equal(wanted)


def test_ties_go_by_the_stated_rule(path: str) -> None:
    a, b = marked(400, 0), marked(400, 1)
    number, k = torch.arange(400), 25
    by_rule = others(a @ a.T, k)  # a stable sort: of equal scores the earlier row first
    assert nearest_by_cosine(a, k)[0].equal(by_rule) and Space(a).neighbours(k).equal(by_rule)
    assert nearest_by_distance(a, k).equal(by_rule)  # rows of one length
    assert Space(a).nearest(k).equal(torch.cat([number[:, None], by_rule[:, :-1]], dim=1))
    crossed, alike = a @ b.T, (a[:, None] == a[None]).all(2)
    own = crossed.diagonal()[:, None]
    before = (crossed > own) | ((crossed == own) & (number < number[:, None]) & ~alike)
    crossing = Pair(a, b, k=k).crossing
    assert crossing.rank.equal(1 + before.sum(1))
    assert (alike & (crossed == own)).sum() > 400  # the exception is met
    for row, (found, rank) in enumerate(zip(crossing.found.tolist(), crossing.rank.tolist(), strict=True)):
        listed = [j for j in lists(crossed[row : row + 1], 400)[0].tolist() if j != row]
        listed.insert(rank - 1, row)
        assert found == listed[:k]


def test_a_space_of_one_row_tells_no_sample_from_another(path: str) -> None:
    a, b = draw(300, 8).float(), torch.ones(300, 8)
    ranks = Pair(a, b, k=K).crossing.rank
    assert ranks.tolist() == list(range(1, 301))
    assert Pair(b, a, k=K).crossing.rank.double().mean() > 100


def test_a_large_search_is_that_of_float64_by_way_of_its_kernels() -> None:
    a = (draw(4500, 16) + 2).float()
    b = other(a.double())
    assert Best(4500, K, a).compiled
    assert found(a, b) == pytest.approx(expected(a, b), abs=1e-9)


def test_values_do_not_depend_on_the_memory() -> None:
    a = clusters(300, 8, 1e4).float()
    whole, pieces = (Pair(a, other(a.double()), k=K, memory=memory) for memory in (2**26, 20_000))
    for pair in (whole, pieces):
        pair.flipped.retrieval  # noqa: B018
    for one, two in ((whole, pieces), (whole.flipped, pieces.flipped)):
        assert one.crossing.found.equal(two.crossing.found) and one.crossing.rank.equal(two.crossing.rank)
    assert whole.neighbours_a.equal(pieces.neighbours_a)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("name", ["mean cosine 0.99999", "offset 100000", "clusters 1e4 sigma apart"])
def test_rows_nearest_to_points_are_those_of_float64(name: str, metric: str) -> None:
    x = SPACES[name](400, 24).float()
    points = other(x.double())[:30] / 3
    scores = below_one(points, x) if metric == "cosine" else -squares(points, x)
    assert nearest_rows(points, x, metric).equal(lists(scores, 5))
