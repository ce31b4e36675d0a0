"""Tensors that still carry gradients, as a training loop hands them over, are taken as the numbers they hold."""

import pytest
import torch
from torch import Tensor

from relviz.core.aggregations import AGGREGATIONS, fit_aggregation, tune
from relviz.core.anchors import STRATEGIES, select_anchors
from relviz.core.heads import HEADS
from relviz.core.translations import TRANSLATIONS, translate
from relviz.core.translations.inverse import fit_inverse, relative, translate_by_inverse

CLASSES = 3


def vectors(n: int = 40, d: int = 6, *, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def learning(x: Tensor) -> Tensor:
    """The same numbers as the output of something that learns, not a leaf."""
    return x.clone().requires_grad_() * 1.0


def labels(n: int = 40) -> Tensor:
    return torch.arange(n) % CLASSES


def same(found: Tensor, expected: Tensor) -> None:
    assert not found.requires_grad
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize("which", ["source", "target", "vectors", "all"])
@pytest.mark.parametrize("unit_norm", [False, True])
def test_translations(name: str, which: str, unit_norm: bool) -> None:
    given = {"source": vectors(), "target": vectors(d=4, seed=1), "vectors": vectors(seed=2)}
    asked = {key: learning(x) if which in (key, "all") else x for key, x in given.items()}
    quick = {"steps": 5} if name == "affine-gradient" else {}
    found, expected = (
        translate(each["source"], each["target"], name=name, unit_norm=unit_norm, **quick)(each["vectors"])
        for each in (asked, given)
    )
    same(found, expected)


@pytest.mark.parametrize("prune", [0.0, 0.3])
def test_the_inverse(prune: float) -> None:
    x, y, others = vectors(), vectors(d=4, seed=1), vectors(seed=2)
    same(
        translate_by_inverse(learning(x), learning(y), prune=prune)(learning(others)),
        translate_by_inverse(x, y, prune=prune)(others),
    )
    same(fit_inverse(learning(y))(learning(relative(others, x))), fit_inverse(y)(relative(others, x)))
    same(relative(learning(others), learning(x)), relative(others, x))


@pytest.mark.parametrize("name", HEADS)
def test_heads(name: str) -> None:
    x, others = vectors(), vectors(seed=2)
    found, expected = (HEADS[name].function(each, labels(), classes=CLASSES) for each in (learning(x), x))
    same(found.scores(learning(others)), expected.scores(others))
    assert found.accuracy(learning(x), labels()) == expected.accuracy(x, labels())


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_aggregations(name: str) -> None:
    spaces = [vectors(seed=seed) for seed in range(3)]
    live = [learning(space) for space in spaces]
    found, expected = (fit_aggregation(each, labels(), classes=CLASSES, name=name) for each in (live, spaces))
    same(found.represent(live), expected.represent(spaces))
    same(found.scores(live), expected.scores(spaces))
    what = "blending" if found.aggregation.blending() else "head"
    again, wanted = (
        tune(fitted, each, labels(), what=what, steps=3) for fitted, each in ((found, live), (expected, spaces))
    )
    same(again.scores(live), wanted.scores(spaces))


@pytest.mark.parametrize("name", STRATEGIES)
def test_anchor_strategies(name: str) -> None:
    known = {"vectors": vectors(), "frequencies": torch.arange(40.0)}
    live = {key: learning(x) for key, x in known.items()}
    found, expected = (select_anchors(labels(), strategy=name, count=5, seed=0, **each) for each in (live, known))
    assert torch.equal(found, expected)
