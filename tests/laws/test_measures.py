"""Laws that hold over the whole registry of measures: a new entry is tried on all of them without a new test."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core import moments
from relviz.core.inference import null_band
from relviz.core.measures import MEASURES, Measure, Pair, measure_all
from relviz.core.registry import TRANSFORMATIONS

K = 5
SEEDS = range(5)


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spaces(seed: int = 0, n: int = 150) -> tuple[Tensor, Tensor]:
    """Two related clouds of one width whose axes differ in length, off the origin."""
    g, d = draw(seed), 8
    a = torch.randn(n, d, generator=g, dtype=torch.float64) * 0.5 ** torch.arange(d, dtype=torch.float64)
    mixed = a @ (torch.eye(d, dtype=torch.float64) + 0.3 * torch.randn(d, d, generator=g, dtype=torch.float64))
    return a + 0.2, mixed + 0.1 * torch.randn(n, d, generator=g, dtype=torch.float64)


def orthogonal(d: int, seed: int) -> Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=draw(seed), dtype=torch.float64))[0]


def stretch(x: Tensor, seed: int) -> Tensor:
    """An invertible linear map, condition number 25."""
    lengths = torch.linspace(0.2, 5, x.shape[1], dtype=torch.float64)
    return x @ orthogonal(x.shape[1], seed) * lengths @ orthogonal(x.shape[1], seed + 1)


CHANGES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "isotropic scale": lambda x, seed: 7.3 * x,
    "orthogonal": lambda x, seed: x @ orthogonal(x.shape[1], seed),
    "translation": lambda x, seed: x + 2 * torch.randn(x.shape[1], generator=draw(seed), dtype=torch.float64),
    "permutation": lambda x, seed: x[:, torch.randperm(x.shape[1], generator=draw(seed))],
    "linear": stretch,
}


def value(measure: Measure, a: Tensor, b: Tensor, memory: int = 2**26) -> float:
    found = measure(Pair(a, b, k=K, memory=memory))
    assert found.value is not None, found.undefined
    return found.value


def test_the_battery_tries_every_transformation() -> None:
    assert tuple(CHANGES) == TRANSFORMATIONS


def moved(name: str, change: str, dtype: torch.dtype) -> list[float]:
    """How much a change of A moves a measure, for several pairs."""
    pairs = [tuple(x.to(dtype) for x in (*spaces(seed), CHANGES[change](spaces(seed)[0], seed + 10))) for seed in SEEDS]
    return [abs(value(MEASURES[name], changed, b) - value(MEASURES[name], a, b)) for a, b, changed in pairs]


@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-8), (torch.float32, 1e-3)])
@pytest.mark.parametrize(
    ("name", "change"), [(n, c) for n, measure in MEASURES.items() for c in sorted(measure.invariances)]
)
def test_claimed_invariances_hold(name: str, change: str, dtype: torch.dtype, within: float) -> None:
    assert max(moved(name, change, dtype)) < within


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("name", "change"), [(n, c) for n, measure in MEASURES.items() for c in CHANGES if c not in measure.invariances]
)
def test_invariances_that_are_not_claimed_do_not_hold(name: str, change: str, dtype: torch.dtype) -> None:
    assert max(moved(name, change, dtype)) > 5e-3


@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", MEASURES)
def test_a_space_with_itself_gives_the_best_value(name: str, dtype: torch.dtype, within: float) -> None:
    measure = MEASURES[name]
    a = spaces()[0].to(dtype)
    assert value(measure, a, a) == pytest.approx(measure.best, abs=within)
    assert abs(value(measure, a, spaces(1)[1].to(dtype)) - measure.best) > 0.05


@pytest.mark.parametrize("name", MEASURES)
def test_undirected_measures_are_symmetric_and_directed_ones_are_not(name: str) -> None:
    a, b = spaces()
    forth, back = value(MEASURES[name], a, b), value(MEASURES[name], b, a)
    assert (abs(forth - back) > 1e-6) == MEASURES[name].directed


@pytest.mark.parametrize("name", MEASURES)
def test_the_order_of_rows_does_not_matter_and_their_pairing_does(name: str) -> None:
    a, b = spaces()
    order = torch.randperm(len(a), generator=draw(2))
    expected = value(MEASURES[name], a, b)
    assert value(MEASURES[name], a[order], b[order]) == pytest.approx(expected, abs=1e-12)
    assert abs(value(MEASURES[name], a[order], b) - expected) > 1e-3


@pytest.mark.parametrize("name", MEASURES)
def test_the_size_of_blocks_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = spaces(n=40)
    monkeypatch.setattr(moments, "_FEWEST", 1)
    expected = value(MEASURES[name], a, b)
    for memory in (1, 5_000, 100_000):
        assert value(MEASURES[name], a, b, memory) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_independent_noise_lies_in_the_null_band_and_related_spaces_do_not(name: str) -> None:
    measure, (a, related) = MEASURES[name], spaces(n=60)

    def inside(b: Tensor) -> bool:
        band = null_band(a, b, measure, k=K, draws=60, seed=0, level=0.95)
        assert band is not None
        return band[0] <= value(measure, a, b) <= band[1]

    assert not inside(related)
    # One in twenty noises lies outside by the band's definition; two of three do in one of 140 cases.
    assert sum(inside(torch.randn(a.shape, generator=draw(seed), dtype=torch.float64)) for seed in (5, 6, 7)) >= 2


def sample(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=draw(seed))


X = sample(20, 3)
EDGES = {
    "two samples": X[:2],
    "three samples": X[:3],
    "four samples": X[:4],
    "all duplicates": X[:1].expand(20, 3),
    "some duplicates": X[:4].repeat(5, 1),
    "one differs": torch.cat([torch.zeros(19, 3), torch.ones(1, 3)]),
    "zeros": torch.zeros(20, 3),
    "some zero rows": X * (torch.arange(20) % 3 > 0)[:, None],
    "constant": torch.full((20, 3), 0.1),
    "constant in float64": torch.full((20, 3), 0.1, dtype=torch.float64),
    "constant feature": torch.cat([X[:, :2], torch.full((20, 1), 0.1)], dim=1),
    "one-hot": torch.eye(20),
    "nan": torch.where(X > 2, torch.nan, X).index_fill(0, torch.tensor(3), torch.nan),
    "infinite": X.index_fill(0, torch.tensor(3), torch.inf),
    "minus infinite": X.index_fill(0, torch.tensor(3), -torch.inf),
    "huge": 1e30 * X,
    "huge in float64": 1e300 * X.double(),
    "largest": torch.finfo(torch.float32).max * X.sign(),
    "tiny": 1e-30 * X,
    "denormal": 1e-42 * X,
    "one huge row": X * torch.where(torch.arange(20) == 4, 1e30, 1.0)[:, None],
    "huge and tiny rows": X * torch.where(torch.arange(20) % 2 == 0, 1e30, 1e-30)[:, None],
    "far off the origin": X + 1e6,
    "half": X.half(),
    "bfloat16": X.bfloat16(),
    "integers": (10 * X).long(),
    "bytes": (10 * X.abs()).to(torch.uint8),
    "not contiguous": sample(3, 40).T[::2],
    "needs gradients": X.clone().requires_grad_(),
    "no features": torch.zeros(20, 0),
    "one feature": X[:, :1],
    "wider than long": sample(20, 50),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edge_inputs_give_a_value_in_range_or_a_reason(edge: str) -> None:
    x = EDGES[edge]
    ordinary = sample(len(x), x.shape[1], seed=1)
    for a, b in ((x, x), (x, x.flip(0)), (x, ordinary), (ordinary, x)):
        for k in (1, len(x) - 1):
            for name, found in measure_all(a, b, k=k).items():
                assert found.n == len(x)
                if found.value is None:
                    assert found.undefined and found.undefined[0].islower()
                else:
                    assert math.isfinite(found.value)
                    assert MEASURES[name].low <= found.value <= MEASURES[name].high, name


@pytest.mark.parametrize(
    "edge", ["huge", "huge in float64", "tiny", "not contiguous", "one feature", "needs gradients"]
)
def test_odd_but_sound_inputs_give_what_their_plain_form_gives(edge: str) -> None:
    plain = {"not contiguous": sample(3, 40).T[::2].clone(), "one feature": X[:, :1].double()}.get(edge, X)
    b = sample(len(plain), plain.shape[1], seed=1)
    expected, found = measure_all(plain, b, k=2), measure_all(EDGES[edge], b, k=2)
    assert {name for name, value in found.items() if value.value is None} <= {"pwcca", "svcca"}
    for name, wanted in expected.items():
        assert found[name].value == pytest.approx(wanted.value, abs=1e-5), name


@pytest.mark.parametrize("edge", ["nan", "infinite", "minus infinite"])
def test_values_that_are_not_finite_make_every_measure_undefined(edge: str) -> None:
    for found in measure_all(X, EDGES[edge], k=2).values():
        assert (found.value, found.undefined) == (None, "a space holds values that are not finite")


def test_duplicated_rows_of_a_space_with_itself_change_nothing_but_who_is_first() -> None:
    for name, found in measure_all(EDGES["some duplicates"], EDGES["some duplicates"], k=3).items():
        if not name.startswith("mrr"):  # of two copies the earlier ranks first for both
            assert found.value == pytest.approx(MEASURES[name].best, abs=1e-5), name
