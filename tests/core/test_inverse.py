"""The inverse relative projection against pseudo-inverses of numpy, and what pruning, ensembles and penalties do."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from relviz.core.translations.frames import frame
from relviz.core.translations.inverse import far_apart, fit_inverse, relative, translate_by_inverse
from relviz.errors import BadChoice


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=1, keepdim=True)


def close(found: Tensor, expected: Tensor | np.ndarray, atol: float = 1e-9) -> None:
    torch.testing.assert_close(found, torch.as_tensor(expected), atol=atol, rtol=0)


def two_spaces(noise: float) -> tuple[Tensor, Tensor]:
    """An anisotropic space and a noisy rotated copy."""
    x = gaussian(400, 20) * torch.arange(1, 21) ** -0.8
    rotation = torch.linalg.qr(gaussian(20, 20, seed=1)).Q
    return x, x @ rotation + noise * gaussian(400, 20, seed=2)


def mean_cosine(k: int = 100, noise: float = 0.05, **options: float | int) -> float:
    x, y = two_spaces(noise)
    found = translate_by_inverse(x[:k], y[:k], normalise="none", **options)(x[100:])
    return float(torch.cosine_similarity(found, y[100:]).mean())


@pytest.mark.parametrize("normalise", ["none", "centre", "standard"])
def test_agrees_with_the_pseudo_inverse_of_numpy_step_by_step(normalise: str) -> None:
    anchors, x = gaussian(30, 6) * torch.arange(1, 7) + 4, gaussian(50, 6, seed=1) + 4
    mean = 0 if normalise == "none" else anchors.numpy().mean(0)
    spread = anchors.numpy().std(0, ddof=1) if normalise == "standard" else 1
    inside, others = (anchors.numpy() - mean) / spread, (x.numpy() - mean) / spread
    unit_anchors, unit_others = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (inside, others))
    coordinates = unit_others @ unit_anchors.T
    close(relative(x, anchors, normalise=normalise), coordinates)
    rows = coordinates @ np.linalg.pinv(unit_anchors.T) * np.linalg.norm(inside, axis=1).mean()
    inverse = fit_inverse(anchors, normalise=normalise)
    close(inverse(torch.from_numpy(coordinates)), rows * spread + mean)
    assert inverse.condition_numbers == pytest.approx([np.linalg.cond(unit_anchors)])
    assert inverse.ranks == (6,)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_inverse_of_a_projection_returns_the_space_but_for_lengths(dtype: torch.dtype) -> None:
    x = (gaussian(200, 12) + 2).to(dtype)
    back = fit_inverse(x[:40])(relative(x, x[:40])) - x[:40].double().mean(0)
    centred = x.double() - x[:40].double().mean(0)
    close(unit(back), unit(centred), 1e-5 if dtype == torch.float32 else 1e-9)
    close(back.norm(dim=1), centred[:40].norm(dim=1).mean().expand(200), 1e-4)


def test_without_norm_restoration_rows_are_one_long() -> None:
    x = gaussian(50, 6)
    back = fit_inverse(x[:20], normalise="none", restore_norm=False)(relative(x, x[:20], normalise="none"))
    close(back, unit(x))


def test_below_full_rank_the_answer_is_the_part_that_the_anchors_span() -> None:
    x = gaussian(50, 20)
    inverse = fit_inverse(x[:8], normalise="none", restore_norm=False)
    basis = torch.linalg.qr(x[:8].T).Q
    close(inverse(relative(x, x[:8], normalise="none")), unit(x) @ basis @ basis.T)
    assert inverse.ranks == (8,)


def test_pruning_agrees_with_a_double_loop() -> None:
    rows = unit(gaussian(60, 5))
    kept = [7]
    while True:
        distances = [min(1 - abs(float(rows[i] @ rows[j])) for j in kept) for i in range(60)]
        best = max((i for i in range(60) if i not in kept), key=lambda i: distances[i])
        if distances[best] < 0.3:
            break
        kept.append(best)
    assert far_apart(rows, first=7, least=0.3).tolist() == kept
    assert 3 < len(kept) < 60


def test_pruning_drops_what_says_the_same_and_buys_conditioning() -> None:
    directions = unit(gaussian(10, 20))
    doubled = torch.cat([directions, -directions, 1.001 * directions])
    (kept,) = fit_inverse(doubled, normalise="none", prune=0.05).kept
    assert sorted((kept % 10).tolist()) == list(range(10))
    _, y = two_spaces(0.05)
    conditions = [fit_inverse(y[:100], prune=p).condition_numbers[0] for p in (0.0, 0.3, 0.6)]
    assert conditions[0] > conditions[1] > conditions[2] >= 1


def test_an_ensemble_is_the_mean_of_its_members_and_recovers_part_of_what_pruning_costs() -> None:
    _, y = two_spaces(0.05)
    coordinates = relative(y, y[:100], normalise="none")
    ensemble = fit_inverse(y[:100], normalise="none", prune=0.5, members=4)
    assert len(ensemble.kept) == len(ensemble.condition_numbers) == 4
    assert len({int(kept[0]) for kept in ensemble.kept}) == 4
    rows = [coordinates[:, kept] @ torch.linalg.pinv(unit(y[:100])[kept].T) for kept in ensemble.kept]
    close(ensemble(coordinates), torch.stack(rows).mean(0) * y[:100].norm(dim=1).mean())
    assert mean_cosine(prune=0.5, members=8) > mean_cosine(prune=0.5) + 0.01


def test_a_penalty_helps_where_the_spaces_disagree_and_costs_where_they_do_not() -> None:
    assert mean_cosine(noise=0.2, penalty=0.1) > mean_cosine(noise=0.2) + 0.005
    assert mean_cosine(noise=0.0, penalty=0.1) < mean_cosine(noise=0.0) - 0.005


def test_truncation_is_the_rcond_of_numpy_and_lowers_the_condition_number() -> None:
    anchors = gaussian(30, 8) * torch.arange(1, 9) ** -1.0
    inverse = fit_inverse(anchors, normalise="none", truncate=0.2, restore_norm=False)
    coordinates = gaussian(5, 30)
    close(inverse(coordinates), coordinates.numpy() @ np.linalg.pinv(unit(anchors).T.numpy(), rcond=0.2))
    assert inverse.condition_numbers[0] < 5 < np.linalg.cond(unit(anchors).numpy())
    assert inverse.ranks[0] < 8


def test_the_penalty_is_that_of_ridge_regression_in_mean_squared_singular_values() -> None:
    anchors, coordinates = unit(gaussian(30, 8)), gaussian(5, 30)
    squares = np.linalg.svd(anchors.numpy(), compute_uv=False) ** 2
    gram = anchors.T @ anchors + 0.3 * squares.mean() * torch.eye(8, dtype=torch.float64)
    expected = coordinates @ anchors @ torch.linalg.inv(gram)
    close(fit_inverse(anchors, normalise="none", penalty=0.3, restore_norm=False)(coordinates), expected)


def test_seeds_choose_the_first_anchors_and_repeat() -> None:
    _, y = two_spaces(0.05)
    first, again, other = (fit_inverse(y[:100], prune=0.5, seed=seed).kept[0] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_anchors_at_the_zero_of_the_frame_are_not_inverted() -> None:
    anchors = torch.cat([torch.zeros(1, 6, dtype=torch.float64), gaussian(20, 6)])
    inverse = fit_inverse(anchors, normalise="none", prune=0.1)
    assert 0 not in inverse.kept[0].tolist()
    assert inverse.matrix[0].abs().max() == 0


def test_duplicates_and_constant_features_are_no_obstacle() -> None:
    anchors = gaussian(10, 4).repeat(3, 1)
    anchors[:, 2] = 5
    for options in ({}, {"prune": 0.2, "members": 3}, {"penalty": 0.1}):
        for normalise in ("none", "centre", "standard"):
            inverse = fit_inverse(anchors, normalise=normalise, **options)
            assert torch.isfinite(inverse(relative(anchors + 1, anchors, normalise=normalise))).all()
            assert all(1 <= c < 1e6 for c in inverse.condition_numbers)


@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_size_does_not_matter(size: float) -> None:
    x = gaussian(40, 6).float()
    plain, sized = (translate_by_inverse(s * x[:20], x[:20])(s * x) for s in (1.0, size))
    close(sized, plain, 1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prune": 1.0}, "pruning distance"),
        ({"prune": -0.1}, "pruning distance"),
        ({"members": 0}, "0 subsets"),
        ({"members": 31}, "31 subsets"),
        ({"truncate": 1.0}, "truncation"),
        ({"penalty": -1.0}, "penalty"),
        ({"penalty": float("nan")}, "penalty"),
        ({"seed": -1}, "seed -1"),
        ({"normalise": "l2"}, "normalisation"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float | int | str], said: str) -> None:
    with pytest.raises(BadChoice, match=said):
        fit_inverse(gaussian(30, 4), **options)


def test_inputs_that_cannot_be_inverted_are_refused() -> None:
    x = gaussian(30, 4)
    for bad in (torch.full((5, 4), torch.nan), torch.full((5, 4), torch.inf), torch.zeros(0, 4), torch.ones(5, 4)):
        with pytest.raises(BadChoice):
            fit_inverse(bad)
    with pytest.raises(BadChoice, match="30 source and 20 target"):
        translate_by_inverse(x, x[:20])
    with pytest.raises(BadChoice, match="29 anchors, the inverse to 30"):
        fit_inverse(x)(torch.zeros(2, 29))
    with pytest.raises(BadChoice, match="3 features, the anchors 4"):
        relative(x[:, :3], x)
    with pytest.raises(BadChoice, match="not finite"):
        fit_inverse(x)(torch.full((2, 30), torch.nan))
    with pytest.raises(BadChoice, match="not finite"):
        translate_by_inverse(torch.full((30, 4), torch.nan), x)


def test_the_frame_of_a_constant_feature_has_unit_spread() -> None:
    inside = frame(torch.tensor([[1.1, 2.0], [1.1, 4.0]]), normalise="standard")
    assert inside.spread.tolist() == pytest.approx([1.0, 2**0.5])
    x = gaussian(5, 2)
    close(inside.out_of(inside.into(x)), x)
