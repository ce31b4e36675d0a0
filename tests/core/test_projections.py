"""The invariance table of relative representations, including what must not be invariant."""

import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity
from torch import Tensor

from relviz.core.projections import cosine, layer_norm


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
