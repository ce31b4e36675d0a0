from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from relviz.jobs.codec import packed, unpacked


@dataclass(frozen=True)
class Leaf:
    x: Tensor
    share: float | None = None


@dataclass(frozen=True)
class Tree:
    leaves: dict[str, list[Leaf]]
    pair: tuple[int, str] | None
    marks: tuple[bool, ...]


TREE = Tree({"b": [Leaf(torch.ones(2)), Leaf(torch.zeros(0), 0.1)], "a": []}, (1, "one"), (True, False))


def test_a_nested_value_comes_back_with_its_types_and_order() -> None:
    arrays, facts = packed(TREE, Tree)
    found = unpacked(facts, Tree, arrays)
    assert list(found.leaves) == ["b", "a"] and found.leaves["a"] == []
    first, second = found.leaves["b"]
    assert first.x.equal(torch.ones(2)) and first.share is None
    assert second.x.shape == (0,) and second.share == 0.1
    assert (found.pair, found.marks) == ((1, "one"), (True, False))


def test_a_whole_number_is_a_float_where_one_is_asked_for() -> None:
    _, facts = packed([1, 0.5], list[float])
    assert list(map(type, unpacked(facts, list[float], {}))) == [float, float]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (True, int),
        (1, bool),
        (True, float),
        ("1", int),
        (1.0, int),
        (None, int),
        ([1], tuple[int, ...]),
        ((1, 2, 3), tuple[int, int]),
        ({1: 1}, dict[str, int]),
        ({1: 1}, dict[int, int]),
        ({1}, set[int]),
        (None, set[int]),
        (1, int | str),
        ([1.0], Tensor),
        (Leaf(torch.ones(1)), Tree),
    ],
)
def test_what_does_not_fit_its_hint_is_not_packed(value: Any, hint: Any) -> None:
    with pytest.raises(ValueError):
        packed(value, hint)


@pytest.mark.parametrize(
    ("facts", "hint"),
    [
        (1, float),
        (1.0, int),
        (True, int),
        ("missing", Tensor),
        (0, Tensor),
        ([1], dict[str, int]),
        ({"a": 1}, list[int]),
        ([1], tuple[int, int]),
        ({"x": "0"}, Leaf),
        ({"x": "0", "share": None, "more": 1}, Leaf),
        ([["x", "0"], ["share", None]], Leaf),
    ],
)
def test_what_does_not_fit_its_hint_is_not_unpacked(facts: Any, hint: Any) -> None:
    with pytest.raises(ValueError):
        unpacked(facts, hint, {"0": torch.ones(1)})
