"""The order in which a head numbers the classes."""

import pytest
import torch

from relviz.core.class_order import best_order, common_orders, matched_share, order_by_names, reorder
from relviz.core.heads import LinearHead

NUMBERS = tuple(map(str, range(1, 13)))


def one_hot(labels: torch.Tensor, order: tuple[int, ...]) -> torch.Tensor:
    """Scores of a perfect head whose scores come in that order."""
    places = torch.tensor(order).argsort()
    return torch.nn.functional.one_hot(places[labels], len(order)).float()


@pytest.mark.parametrize(
    ("names", "words", "order"),
    [
        (NUMBERS, "sorted as words", (0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8)),
        (("apple", "Banana", "cherry"), "sorted as words", (1, 0, 2)),
        (("Banana", "apple", "cherry"), "sorted as words, capitals and small letters alike", (1, 0, 2)),
        (("img10", "img2", "img9"), "sorted by the numbers in them", (1, 2, 0)),
        (("a", "b", "c"), "in the order in which they come", (2, 0, 1)),
    ],
)
def test_the_order_of_a_common_loader_is_found_and_undone(
    names: tuple[str, ...], words: str, order: tuple[int, ...]
) -> None:
    labels = torch.arange(len(names)).roll(1).repeat(30)
    orders = common_orders(names, labels)
    assert orders[words] == order
    scores = one_hot(labels, order)
    found, shares = best_order(scores, labels, orders)
    assert found == words and shares[words] == 1.0
    head = reorder(LinearHead(torch.eye(len(names)), torch.zeros(len(names))), order)
    assert head.accuracy(scores, labels) == 1.0


def test_the_given_order_stays_unless_another_is_clearly_better() -> None:
    labels = torch.tensor([0, 1, 2] * 3)
    orders = {"given": (0, 1, 2), "other": (1, 0, 2)}
    scores = one_hot(labels, (1, 0, 2))
    assert best_order(scores, labels, orders)[0] == "given"  # nine rows: 1.0 against 0.33 could be luck
    assert best_order(scores.repeat(20, 1), labels.repeat(20), orders)[0] == "other"


def test_names_on_both_sides_decide() -> None:
    assert order_by_names(("dog", "Cat ", "t-shirt_top"), ("cat", "T-shirt top", "dog")) == (2, 0, 1)
    assert order_by_names(("dog", "cat"), ("cat", "cow")) is None
    assert order_by_names(("dog", "dog"), ("dog", "dog ")) is None


def test_a_matching_is_judged_on_rows_that_it_was_not_made_on() -> None:
    labels = torch.arange(5).repeat(40)
    assert matched_share(one_hot(labels, (3, 1, 4, 0, 2)), labels) == 1.0
    noise = torch.rand(200, 5, generator=torch.Generator().manual_seed(0))
    assert matched_share(noise, labels) < 0.35
