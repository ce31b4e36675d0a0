"""Laws that hold over the whole registry of translations, with their exceptions, and those of the inverse."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from relviz.core.registry import TRANSFORMATIONS
from relviz.core.translations import TRANSLATIONS, translate
from relviz.core.translations.inverse import translate_by_inverse

SEEDS = (0, 1, 2)
D = 12
# Laws do not need the gradient to arrive.
QUICK: dict[str, dict[str, int]] = {"affine-gradient": {"steps": 20}}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def space(n: int = 200, d: int = D, *, seed: int) -> Tensor:
    """An anisotropic cloud away from the origin."""
    return gaussian(n, d, seed=seed) * torch.arange(1, d + 1) ** -0.5 + 1


def rotation(d: int = D, *, seed: int) -> Tensor:
    return torch.linalg.qr(gaussian(d, d, seed=seed + 100)).Q


def image(x: Tensor, *, seed: int) -> Tensor:
    """Another space over the same samples: related, not the same, and of another width."""
    return x @ gaussian(x.shape[1], 9, seed=seed + 10) + 0.5 * gaussian(len(x), 9, seed=seed + 20)


def transformed(x: Tensor, transformation: str, *, seed: int) -> Tensor:
    d = x.shape[1]
    return {
        "isotropic scale": lambda: 3.7 * x,
        "orthogonal": lambda: x @ rotation(d, seed=seed).to(x.dtype),
        "translation": lambda: x + 2 * gaussian(d, seed=seed + 30).to(x.dtype),
        "permutation": lambda: x[:, torch.randperm(d, generator=generator(seed))],
        "linear": lambda: x @ gaussian(d, d, seed=seed + 40).to(x.dtype),
    }[transformation]()


def off(found: Tensor, expected: Tensor) -> float:
    return float((found - expected.double()).norm() / expected.double().norm())


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_translation_has_the_invariances_it_claims_and_no_others(
    name: str, transformation: str, dtype: torch.dtype
) -> None:
    for seed in SEEDS:
        x = space(seed=seed)
        y, x = image(x, seed=seed).to(dtype), x.to(dtype)
        moved = transformed(x, transformation, seed=seed)
        expected = translate(x[:60], y[:60], name=name, **QUICK.get(name, {}))(x[60:])
        change = off(translate(moved[:60], y[:60], name=name, **QUICK.get(name, {}))(moved[60:]), expected)
        if transformation in TRANSLATIONS[name].invariances:
            assert change < (1e-9 if dtype == torch.float64 and name != "affine-gradient" else 1e-3)
        else:
            assert change > 1e-2


@pytest.mark.parametrize("name", [name for name, entry in TRANSLATIONS.items() if entry.comes_back != "never"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_space_translated_to_itself_comes_back(name: str, seed: int) -> None:
    x = space(seed=seed)
    assert off(translate(x[: D + 1], x[: D + 1], name=name)(x), x) < 1e-9
    few = off(translate(x[:5], x[:5], name=name)(x), x)
    assert few < 1e-9 if TRANSLATIONS[name].comes_back == "always" else few > 1e-2


@pytest.mark.parametrize("name", ["ortho", "ortho-rigid", "l-ortho", "affine"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rotated_shifted_copy_is_found_exactly(name: str, seed: int) -> None:
    x = space(seed=seed)
    y = x @ rotation(seed=seed) + 5
    assert off(translate(x[:40], y[:40], name=name)(x), y) < 1e-9


@pytest.mark.parametrize(("name", "exact"), [("ortho", True), ("affine", True), ("ortho-rigid", False)])
def test_a_scaled_copy_needs_a_scale(name: str, exact: bool) -> None:
    x = space(seed=0)
    y = 3 * x @ rotation(seed=0)
    assert (off(translate(x[:40], y[:40], name=name)(x), y) < 1e-9) == exact


@pytest.mark.parametrize("seed", SEEDS)
def test_there_and_back_by_rotation_is_the_identity(seed: int) -> None:
    x = space(seed=seed)
    y = x @ rotation(seed=seed) + gaussian(len(x), D, seed=seed)
    there, back = (translate(a[:40], b[:40], name="ortho-rigid") for a, b in ((x, y), (y, x)))
    assert off(back(there(x)), x) < 1e-9


@pytest.mark.parametrize("name", [name for name in TRANSLATIONS if name != "affine-gradient"])
def test_the_order_of_anchors_does_not_matter_but_their_pairing_does(name: str) -> None:
    x = space(seed=0)
    y, order = x @ rotation(seed=0), torch.randperm(40, generator=generator(1))
    found = translate(x[:40], y[:40], name=name)(x)
    assert off(translate(x[:40][order], y[:40][order], name=name)(x), found) < 1e-9
    assert off(translate(x[:40], y[:40][order], name=name)(x), found) > 0.1


def mean_errors(k: int) -> dict[str, float]:
    """Mean held-out error over noisy rotated copies, fitted on k anchors."""
    sums = dict.fromkeys(("ortho", "affine", "linear"), 0.0)
    for seed in range(10):
        x = space(seed=seed)
        y = x @ rotation(seed=seed) + 0.1 * gaussian(len(x), D, seed=seed + 50)
        for name in sums:
            sums[name] += off(translate(x[:k], y[:k], name=name)(x[60:]), y[60:]) / 10
    return sums


@pytest.mark.parametrize("k", [D, 3 * D // 2, 2 * D - 1])
def test_with_fewer_anchors_than_two_a_dimension_a_rotation_beats_least_squares(k: int) -> None:
    errors = mean_errors(k)
    assert errors["ortho"] < errors["linear"]
    assert errors["ortho"] < errors["affine"]


def test_with_fewer_anchors_than_dimensions_a_rotation_guesses_what_least_squares_leaves_out() -> None:
    errors = mean_errors(D // 2)
    assert errors["linear"] < errors["ortho"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_inverse_of_a_rotated_scaled_copy_returns_it_where_lengths_agree(seed: int) -> None:
    x = space(seed=seed)
    x = x / x.norm(dim=1, keepdim=True)
    y = 4 * x @ rotation(seed=seed)
    assert off(translate_by_inverse(x[:D], y[:D], normalise="none")(x), y) < 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_the_inverse_keeps_directions_of_a_shifted_rotated_copy(seed: int) -> None:
    x = space(seed=seed)
    y = 4 * x @ rotation(seed=seed) - 3
    found = translate_by_inverse(x[:40], y[:40])(x) - y[:40].mean(0)
    assert float(torch.cosine_similarity(found, y - y[:40].mean(0)).min()) > 1 - 1e-9
