"""A space with itself reaches the value that its measure promises, whatever the space."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core.anchors import select_anchors
from relviz.core.measures import MEASURES, Pair
from relviz.core.projections import project
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import space_of
from relviz.models.catalogue import find
from relviz.models.shelf import shelf
from relviz.progress import silent

ROWS = 500  # held-out samples of each bundled space


def random(seed: int) -> Tensor:
    return torch.randn(120, 6, generator=torch.Generator().manual_seed(seed))


ODD: dict[str, Callable[[], Tensor]] = {
    "rows in threes": lambda: random(0)[:40].repeat(3, 1),
    "rows in threes, side by side": lambda: random(1)[:40].repeat_interleave(3, 0),
    "two unlike rows": lambda: random(2)[:2].repeat(60, 1),
    "scaled copies": lambda: torch.cat([random(3)[:60], 3 * random(3)[:60]]),
    "a zero row": lambda: random(4) * (torch.arange(120) > 0)[:, None],
    "many zero rows": lambda: random(5) * (torch.arange(120) % 3 > 0)[:, None],
    "cosines near one": lambda: random(6) + 1000,
    "an offset of 1e7": lambda: random(7) + 1e7,
    "one direction": lambda: random(8)[:, :1],
    "whole numbers": lambda: random(9).round(),
    "tiny": lambda: random(10) * 1e-30,
    "huge": lambda: random(11) * 1e30,
    "wider than samples": lambda: torch.randn(30, 50, generator=torch.Generator().manual_seed(12)),
}


def check(x: Tensor) -> None:
    """Every measure of a space with a copy of it, and of both directions at once."""
    pair = Pair(x, x.clone(), k=min(10, len(x) - 1))
    for name, measure in MEASURES.items():
        for found in (measure(pair), measure(pair.flipped)):
            assert found.value == pytest.approx(measure.best, abs=1e-6), f"{name}: {found}"


@pytest.mark.parametrize("name", ODD)
def test_odd_spaces(name: str) -> None:
    check(ODD[name]())


@pytest.mark.parametrize("name", shelf())
def test_bundled_models_absolute_and_relative(name: str) -> None:
    card = shelf()[name]
    data = load_dataset(card.recipe.data)
    space = space_of(find(name), data, silent)
    x = space[data.held_out][:ROWS]
    check(x)
    labels = data.label_tensor()[data.gallery]
    rows = select_anchors(labels, strategy="class-balanced", count=300, seed=0)
    for projection in ("cosine", "euclidean"):
        check(project(x, space[data.gallery][rows], name=projection))
