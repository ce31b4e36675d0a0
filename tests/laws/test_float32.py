"""float32 in, float64's answer out: every measure, projection, translation and search on spaces that tempt rounding."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr
from torch import Tensor

from relviz import laws
from relviz.core.distances import straight
from relviz.core.measures import MEASURES, Pair
from relviz.core.neighbours import best, kept_share
from relviz.core.normalisation import PRE_NORMALISATIONS, fit_normaliser
from relviz.core.projections import PROJECTIONS, project
from relviz.core.translations import TRANSLATIONS
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import encoder_of, fitting_model
from relviz.laws.float32_spaces import (
    BEYOND_COSINES,
    CASES,
    SEARCHES,
    Case,
    K,
    measured,
    projected,
)
from relviz.models.catalogue import names_for

WITHIN = 0.005


@cache
def case(name: str) -> Case:
    return CASES[name]()


@cache
def true_value(space: str, name: str, *, turned: bool = False) -> tuple[float | None, str | None]:
    """Once for both paths: kernels are compiled for float32 alone."""
    return measured(*case(space).truth[:: -1 if turned else 1], name)


@pytest.fixture(params=["torch", "compiled"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of the CPU: small spaces go by torch, large ones by compiled kernels."""
    if request.param == "compiled":
        monkeypatch.setattr(straight, "_COMPILED_FROM", 0)
        monkeypatch.setattr(straight, "_PRODUCT_FROM", 0)
        monkeypatch.setattr(best, "COMPILED_FROM", 1)
    return str(request.param)


def assert_near(found: tuple[float | None, str | None], expected: tuple[float | None, str | None]) -> None:
    assert found[1] == expected[1]
    assert found[0] == (None if expected[0] is None else pytest.approx(expected[0], abs=WITHIN))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", MEASURES)
def test_measures(name: str) -> None:
    outcome = laws.measures.float32_gives_float64s_value(name)
    assert outcome.kept, outcome.told


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections(name: str) -> None:
    outcome = laws.projections.float32_gives_float64s_value(name)
    assert outcome.kept, outcome.told


@pytest.mark.parametrize(
    ("space", "centred"),
    [(name, centred) for name in CASES for centred in (False, True) if (name, centred) not in BEYOND_COSINES],
)
@pytest.mark.parametrize("measure", ["cka", "svcca", "pwcca", "rsa"])
def test_relative_spaces_are_as_alike_as_those_of_float64(measure: str, space: str, centred: bool) -> None:
    one = case(space)
    (a, b), (c, d) = ([projected(x, "cosine", centred=centred) for x in pair] for pair in ((one.a, one.b), one.truth))
    assert_near(measured(a, b, measure), measured(c, d, measure))


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_translations(name: str) -> None:
    outcome = laws.translations.float32_gives_float64s_value(name)
    assert outcome.kept, outcome.told


@pytest.mark.parametrize("space", CASES)
@pytest.mark.parametrize("name", PRE_NORMALISATIONS)
def test_normalisations(name: str, space: str) -> None:
    x = case(space).a
    found, expected = (fit_normaliser(rows, name=name)(rows).double() for rows in (x, x.double()))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7 * float(expected.abs().median()))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("space", [name for name in CASES if name not in ("low rank", "crowded relative coordinates")])
@pytest.mark.parametrize("name", SEARCHES)
def test_searches(name: str, space: str) -> None:
    for x in (case(space).a, case(space).b):
        found, expected = SEARCHES[name](x), SEARCHES[name](x.double())
        shares = kept_share(expected, found)
        assert float(shares.mean()) >= 1 - WITHIN


@cache
def on_device() -> dict[str, Any]:
    """What the pretended device finds, in a process of its own."""
    command = [sys.executable, "-m", "tests.laws.float32_on_device"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("space", CASES)
@pytest.mark.parametrize("name", MEASURES)
def test_measures_on_the_pretended_device(name: str, space: str) -> None:
    value, reason = on_device()["measures"][f"{space}: {name}"]
    assert_near((value, reason), measured(*case(space).truth, name))


@pytest.mark.parametrize("space", CASES)
@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections_on_the_pretended_device(name: str, space: str) -> None:
    assert on_device()["projections"][f"{space}: {name}"] <= 1


def centred(x: Tensor) -> np.ndarray:
    return x.double().numpy() - x.double().numpy().mean(0)


def axes(x: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left singular vectors, singular values and directions of a centred space, from the data and not from moments."""
    u, s, vt = np.linalg.svd(centred(x), full_matrices=False)
    count = int((s**2 > 2.0**-47 * s[0] ** 2).sum())
    return u[:, :count], s[:count], vt[:count]


def by_gram(a: np.ndarray, b: np.ndarray) -> float:
    centring = np.eye(len(a)) - 1 / len(a)
    k, m = centring @ a @ centring, centring @ b @ centring
    return float((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))


def gaussian(x: Tensor) -> np.ndarray:
    squares = squareform(pdist(x.double().numpy(), "sqeuclidean"))
    apart = np.sort(squares[np.triu_indices(len(x), 1)])
    return np.exp(-squares / (2 * apart[(len(apart) - 1) // 2]))


def reference_svcca(a: Tensor, b: Tensor) -> float:
    parts = []
    for u, s, _ in (axes(a), axes(b)):
        held = np.cumsum(s**2)
        parts.append(u[:, : int((held < 0.99 * held[-1]).sum()) + 1])
    return float(np.linalg.svd(parts[0].T @ parts[1], compute_uv=False).mean())


def reference_pwcca(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> float:
    left, correlations, _ = np.linalg.svd(a[0].T @ b[0], full_matrices=False)
    weights = np.abs(left.T @ (a[1][:, None] * a[2])).sum(1)
    return float(np.average(correlations.clip(0, 1), weights=weights))


def reference_procrustes(a: Tensor, b: Tensor) -> float:
    x, y = centred(a), centred(b)
    return float(1 - np.linalg.svd(x.T @ y, compute_uv=False).sum() / np.linalg.norm(x) / np.linalg.norm(y))


REFERENCES: dict[str, Callable[[Tensor, Tensor], float]] = {
    "cka": lambda a, b: by_gram(centred(a) @ centred(a).T, centred(b) @ centred(b).T),
    "cka-rbf": lambda a, b: by_gram(gaussian(a), gaussian(b)),
    "svcca": reference_svcca,
    "pwcca": lambda a, b: reference_pwcca(axes(a), axes(b)),
    "procrustes": reference_procrustes,
    "rsa": lambda a, b: float(spearmanr(pdist(a.double().numpy()), pdist(b.double().numpy())).statistic),
}


@pytest.mark.parametrize("space", CASES)
@pytest.mark.parametrize("name", REFERENCES)
def test_measures_agree_with_their_formulas_in_numpy(name: str, space: str) -> None:
    one = case(space)
    assert measured(one.a, one.b, name)[0] == pytest.approx(REFERENCES[name](*one.truth), abs=WITHIN)


def test_rbf_cka_does_not_depend_on_the_memory() -> None:
    one = case("ordinary")
    values = [measured(one.a, one.b, "cka-rbf", memory)[0] for memory in (20_000, 200_000, 2**26)]
    assert values == pytest.approx([values[0]] * 3, abs=1e-9)


def test_directions_that_a_wide_scale_hides_are_found() -> None:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(2000, 2, generator=g)
    for scale in (1e3, 1e5, 1e6):
        b = torch.cat([scale * torch.randn(2000, 1, generator=g), a], dim=1)
        assert measured(a, b, "pwcca")[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(20, 20), (30, 40), (12, 300)])
@pytest.mark.parametrize("name", ["svcca", "pwcca"])
def test_a_space_that_fits_everything_is_alike_to_itself_alone(name: str, n: int, d: int) -> None:
    x, other = (torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    keep = {"keep": 1.0} if name == "svcca" else {}
    assert MEASURES[name](Pair(x, x.clone(), k=1), **keep).value == pytest.approx(1, abs=1e-9)
    assert "whatever the other" in (MEASURES[name](Pair(x, other, k=1), **keep).undefined or "")


@pytest.mark.parametrize("name", ["svcca", "pwcca"])
def test_what_varies_by_rounding_alone_has_no_correlations(name: str) -> None:
    steady = 1e9 + 10 * torch.randn(300, 4, generator=torch.Generator().manual_seed(0))  # steps of 64
    for a, b in ((steady, case("ordinary").a), (case("ordinary").a, steady)):
        for x, y in ((a, b), (a.double(), b.double())):
            assert "no more than the rounding" in (MEASURES[name](Pair(x, y, k=1)).undefined or "")


@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections_take_tensors_that_require_gradients(name: str) -> None:
    x = case("ordinary").a
    for needs in ((True, False), (False, True), (True, True)):
        points = [part.clone().requires_grad_(need) for part, need in zip((x[20:], x[:20]), needs, strict=True)]
        torch.testing.assert_close(project(*points, name=name).detach(), project(x[20:], x[:20], name=name))


@cache
def bundled() -> dict[str, tuple[Tensor, Tensor]]:
    """Every bundled Fashion-MNIST model's absolute and relative vectors of 500 held-out images."""
    data, found = load_dataset("fashion-mnist"), {}
    for name in names_for(data):
        encoder = encoder_of(fitting_model(name, data), torch.device("cpu"))
        x = encoder.encode(data, slice(data.held_out.start, data.held_out.start + 500))
        found[name] = x, project(x, encoder.encode(data, slice(0, 300)), name="cosine")
    return found


@cache
def bundled_axes(name: str, relative: bool) -> tuple[np.ndarray, ...]:
    return axes(bundled()[name][relative])


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("first", range(17))
def test_bundled_pairs(first: int, relative: bool) -> None:
    names = list(bundled())
    assert len(names) == 18
    a, off = bundled()[names[first]][relative], {}
    for name in names[first + 1 :]:
        found = measured(a, bundled()[name][relative], "pwcca")[0]
        expected = reference_pwcca(bundled_axes(names[first], relative), bundled_axes(name, relative))
        if found is None or abs(found - expected) > WITHIN:
            off[name] = found, expected
    assert not off


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", MEASURES)
def test_bundled_pairs_by_every_measure(name: str, relative: bool) -> None:
    names, off = list(bundled()), {}
    for first, second in ((0, 1), (2, 3), (3, 16), (4, 6), (8, 10), (12, 13), (14, 15)):
        a, b = (bundled()[names[i]][relative] for i in (first, second))
        found, expected = measured(a, b, name), measured(a.double(), b.double(), name)
        same = found[0] == expected[0] or abs((found[0] or 0) - (expected[0] or 0)) <= WITHIN
        if found[1] != expected[1] or not same:
            off[names[first], names[second]] = found, expected
    assert not off


@pytest.mark.parametrize("relative", [False, True])
def test_a_bundled_model_is_as_alike_to_itself_as_can_be(relative: bool) -> None:
    off = {}
    for model, spaces in bundled().items():
        for name, measure in MEASURES.items():
            x = spaces[relative][:200]
            value = measure(Pair(x, x.clone(), k=K)).value
            if value is None or abs(value - measure.best) > 1e-6:
                off[model, name] = value
    assert not off
