"""The invariance table of relative representations, including what must not be invariant."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity
from torch import Tensor

from relviz.core.projections import PROJECTIONS, layer_norm
from relviz.core.projections.angles import cosine, standardised_cosine
from relviz.core.projections.paths import geodesic
from relviz.core.projections.products import change_of_basis, inner


def space(n: int = 200, d: int = 16) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5


def rotation(d: int) -> Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q


TRANSFORMATIONS = {
    "scale": lambda x: 3.7 * x,
    "rotation": lambda x: x @ rotation(x.shape[1]),
    "feature permutation": lambda x: x[:, torch.arange(x.shape[1] - 1, -1, -1)],
    "translation": lambda x: x + torch.linspace(-2, 2, x.shape[1], dtype=x.dtype),
    "uneven scale": lambda x: x * torch.linspace(0.1, 5, x.shape[1], dtype=x.dtype),
}


@pytest.mark.parametrize(
    ("name", "centred", "invariant"),
    [
        ("scale", False, True),
        ("rotation", False, True),
        ("feature permutation", False, True),
        ("translation", False, False),
        ("translation", True, True),
        ("scale", True, True),
        ("rotation", True, True),
        ("uneven scale", False, False),
        ("uneven scale", True, False),
    ],
)
def test_invariances(name: str, centred: bool, invariant: bool) -> None:
    x = space()
    moved = TRANSFORMATIONS[name](x)
    before, after = (cosine(z, z[:30], centred=centred) for z in (x, moved))
    assert torch.allclose(before, after, atol=1e-12) == invariant


def test_agrees_with_scikit_learn() -> None:
    x = space()
    expected = torch.from_numpy(cosine_similarity(x.numpy(), x[:30].numpy()))
    torch.testing.assert_close(cosine(x, x[:30]), expected, atol=1e-12, rtol=0)


def test_zero_and_equal_vectors_stay_in_range() -> None:
    x = torch.cat([torch.zeros(1, 8), torch.full((3, 8), 1e-20), torch.randn(5, 8)])
    found = cosine(x, x)
    assert torch.isfinite(found).all() and found.abs().max() <= 1
    assert (found[0] == 0).all()


def test_layer_norm_takes_out_offset_and_spread() -> None:
    x = space()
    torch.testing.assert_close(layer_norm(5 * x + 2), layer_norm(x), atol=1e-4, rtol=0)


def test_inner_products_are_over_the_root_of_the_width() -> None:
    x = space()
    torch.testing.assert_close(inner(x, x[:30]), x @ x[:30].T / 4, atol=1e-12, rtol=0)


@pytest.mark.parametrize("count", [5, 16, 40])
def test_change_of_basis_rebuilds_what_the_anchors_span_with_the_shortest_coefficients(count: int) -> None:
    x = space()
    anchors = x[:count]
    expected = torch.from_numpy(np.linalg.lstsq(anchors.numpy().T, x.numpy().T)[0].T)
    torch.testing.assert_close(change_of_basis(x, anchors), expected, atol=1e-9, rtol=0)


def test_change_of_basis_ignores_directions_below_the_precision() -> None:
    x = space()
    twice = torch.cat([x[:5], x[:5] * (1 + 1e-16)])
    found = change_of_basis(x, twice)
    assert found.abs().max() < 10
    torch.testing.assert_close(found[:, :5], change_of_basis(x, x[:5]) / 2, atol=1e-9, rtol=0)


def test_standardised_columns_have_mean_0_and_deviation_1_over_the_other_anchors() -> None:
    anchors = space()[:30]
    found = standardised_cosine(anchors, anchors)
    for column in range(30):
        others = found[[row for row in range(30) if row != column], column]
        assert abs(float(others.mean())) < 1e-12
        assert abs(float(others.std(correction=0)) - 1) < 1e-12


def test_geodesics_follow_a_roll_that_straight_lines_cross() -> None:
    angle = torch.linspace(0, 5, 200, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    found = geodesic(circle, circle[:1], neighbours=4).squeeze(1)
    torch.testing.assert_close(found, angle, atol=0.01, rtol=0)  # steps of two and more cut corners


def test_cosine_lets_gradients_through() -> None:
    x = space().requires_grad_()
    cosine(x, x.detach()[:5]).sum().backward()
    assert x.grad is not None and x.grad.abs().max() > 0


def test_labels_and_summaries_differ() -> None:
    for attribute in ("label", "summary", "function"):
        assert len({getattr(entry, attribute) for entry in PROJECTIONS.values()}) == len(PROJECTIONS)
