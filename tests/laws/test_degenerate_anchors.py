"""Translations whose anchors say little: equal ones, one, those on a line, doubles; no NaN, no blow-up."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core.translations import TRANSLATIONS, translate
from relviz.core.translations.inverse import translate_by_inverse
from relviz.errors import BadChoice

K, D, E = 10, 6, 4
FRAMES = ("none", "centre", "standard")
RIGID = {"ortho-rigid", "l-ortho"}  # have no scale to drop, so that they keep lengths
FITS = (*TRANSLATIONS, "inverse")


def gaussian(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fit(name: str, source: Tensor, target: Tensor, normalise: str) -> Callable[[Tensor], Tensor]:
    if name == "inverse":
        return translate_by_inverse(source, target, normalise=normalise)
    quick = {"steps": 20} if name == "affine-gradient" else {}  # not to arrive, only to stay finite
    return translate(source, target, name=name, normalise=normalise, **quick)


def spread(k: int = K, d: int = D, *, seed: int = 0) -> Tensor:
    return 3 * gaussian(k, d, seed=seed) + 5


def equal(k: int = K, d: int = D, *, seed: int = 0) -> Tensor:
    """Equal rows whose mean, summed up in floating point, is not them: 0.1 and other numbers without an end."""
    return (gaussian(d, seed=seed) + 0.1).repeat(k, 1)


@pytest.mark.parametrize("k", [2, 3, 7, 10, 49])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("normalise", ["centre", "standard"])
@pytest.mark.parametrize("name", FITS)
def test_equal_source_anchors_lead_to_the_targets_mean(name: str, normalise: str, k: int, dtype: torch.dtype) -> None:
    x, y = equal(k, seed=k).to(dtype), spread(k, E).to(dtype)
    mean, others = y.double().mean(0), spread(50, seed=9).to(dtype)
    translated = fit(name, x, y, normalise)
    off = (translated(others) - mean).norm(dim=1)
    deviation = y.double().std(0).norm() if normalise == "standard" else 1.0
    if name in RIGID:  # the frame's own unit, kept
        assert (off <= (others.double() - x.double().mean(0)).norm(dim=1) * deviation + 1e-9).all()
        torch.testing.assert_close(translated(x), mean.expand(k, E))
    elif name == "affine-gradient":  # on its way there
        assert (off < 2 * deviation).all()
        torch.testing.assert_close(translated(others), translated(x[:1]).expand(50, E))
    else:
        torch.testing.assert_close(translated(others), mean.expand(50, E))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-7, 1e7 + 0.1])
@pytest.mark.parametrize("step", [0, 1])
def test_anchors_equal_but_for_rounding_are_equal(value: float, step: int) -> None:
    x = torch.full((K, D), value, dtype=torch.float64)
    x[::2] *= 1 + step * torch.finfo(torch.float64).eps
    y, others = spread(K, E), value + gaussian(50, D, seed=9)
    found = translate(x, y, name="ortho")(others)
    torch.testing.assert_close(found, y.mean(0).expand(50, E))


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("normalise", FRAMES)
def test_equal_target_anchors_are_where_everything_goes(name: str, normalise: str) -> None:
    x, y, others = spread(), equal(d=E, seed=1), spread(50, seed=9)
    if name == "inverse" and normalise != "none":
        with pytest.raises(BadChoice, match="All anchors lie at the zero of their frame"):
            fit(name, x, y, normalise)
        return
    found = fit(name, x, y, normalise)(others)
    if (
        name in RIGID
        or name in ("affine-gradient", "inverse")
        or (normalise, name) in (("none", "ortho"), ("none", "linear"))
    ):
        assert float(found.norm(dim=1).max()) < 3 * float(others.norm(dim=1).max() + y.norm(dim=1).max())
    else:
        torch.testing.assert_close(found, y[:1].expand(50, E))


LITTLE = {
    "one": lambda: (spread(1), spread(1, E, seed=1)),
    "two": lambda: (spread(2), spread(2, E, seed=1)),
    "on a line in the source": lambda: (gaussian(K, 1, seed=3) @ spread(1), spread(K, E, seed=1)),
    "on a line in the target": lambda: (spread(K), gaussian(K, 1, seed=3) @ spread(1, E, seed=1)),
    "on lines": lambda: (gaussian(K, 1, seed=3) @ spread(1), gaussian(K, 1, seed=3) @ spread(1, E, seed=1)),
    "doubles": lambda: (spread(3).repeat(4, 1), spread(3, E, seed=1).repeat(4, 1)),
    "one apart": lambda: (torch.cat([equal(), spread(1)]), torch.cat([equal(d=E), spread(1, E)])),
    "a constant feature": lambda: (torch.cat([spread(), equal(d=1)], dim=1), spread(K, E, seed=1)),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("normalise", FRAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("little", LITTLE)
def test_few_and_alike_anchors_blow_nothing_up(little: str, name: str, normalise: str, dtype: torch.dtype) -> None:
    x, y = (anchors.to(dtype) for anchors in LITTLE[little]())
    if name == "inverse" and little == "one" and normalise != "none":
        with pytest.raises(BadChoice, match="All anchors lie at the zero of their frame"):
            fit(name, x, y, normalise)
        return
    others = x.mean(0) + 3 * gaussian(50, x.shape[1], seed=9).to(dtype)
    found = fit(name, x, y, normalise)(others)
    assert torch.isfinite(found).all()
    assert float(found.norm(dim=1).max()) < 20 * float(y.norm(dim=1).max() + others.norm(dim=1).max())
