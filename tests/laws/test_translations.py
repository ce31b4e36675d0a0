"""Laws that hold over the whole registry of translations, with their exceptions, and those of the inverse."""

from collections.abc import Iterator

import pytest
import torch

from relviz.core.registry import TRANSFORMATIONS
from relviz.core.translations import TRANSLATIONS, translate
from relviz.core.translations.inverse import translate_by_inverse
from relviz.laws.translations import CHANGES, LAWS, SEEDS, D, gaussian, off, rotation, space


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_known_transformation_is_tried() -> None:
    assert tuple(CHANGES) == TRANSFORMATIONS


# The law of float32 is tried by test_float32.py.
QUICK = {law: tried for law, tried in LAWS.items() if law != "float32 gives float64's value"}


@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize("law", QUICK)
def test_every_law_holds(law: str, name: str) -> None:
    outcome = QUICK[law](name)
    assert outcome.kept, outcome.told


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
