"""Rows that may not belong together."""

import pytest
import torch
from torch import Tensor

from relviz.core.correspondence import Suspicion, predicts, suspect_rows


def drawn(seed: int, *, apart: float = 4.0, n: int = 600) -> tuple[Tensor, Tensor, Tensor]:
    """Two views of samples in five classes, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 5, (n,), generator=generator)
    hidden = torch.randn(n, 6, generator=generator)
    hidden[:, :5] += apart * torch.nn.functional.one_hot(labels, 5)
    a, b = (hidden @ torch.randn(6, width, generator=generator) for width in (20, 30))
    return a, torch.tanh(b / 4), labels


def within_classes(labels: Tensor) -> Tensor:
    """An order that shuffles the rows of every class among themselves."""
    generator = torch.Generator().manual_seed(7)
    order = torch.arange(len(labels))
    for label in labels.unique():
        rows = (labels == label).nonzero().squeeze(1)
        order[rows] = rows[torch.randperm(len(rows), generator=generator)]
    return order


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_correspond_are_not_suspected(seed: int) -> None:
    a, b, labels = drawn(seed)
    assert suspect_rows(a, b, labels) is None and suspect_rows(a, b, None) is None
    assert suspect_rows(a, b + 0.3 * torch.randn_like(b), labels) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("how", "expected"),
    [("shuffled", "b"), ("moved on by one", "b"), ("within classes", "within classes"), ("backwards", "b")],
)
def test_another_order_of_one_space_is_suspected(seed: int, how: str, expected: Suspicion) -> None:
    a, b, labels = drawn(seed)
    orders = {
        "shuffled": torch.randperm(len(a), generator=torch.Generator().manual_seed(9)),
        "moved on by one": torch.arange(len(a)).roll(1),
        "within classes": within_classes(labels),
        "backwards": torch.arange(len(a)).flip(0),
    }
    assert suspect_rows(a, b[orders[how]], labels) == expected
    if expected == "b":
        assert suspect_rows(b[orders[how]], a, labels) == "a"
        assert suspect_rows(a, b[orders[how]], None) == "both"


def test_spaces_with_nothing_in_common_are_told_apart_from_lost_order() -> None:
    a, b = torch.randn(2, 500, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(500) % 5
    assert not predicts(a, labels) and suspect_rows(a, b, labels) == "both"
