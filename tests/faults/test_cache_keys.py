"""K4: another ingredient, another key; and nothing but the ingredients makes it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relviz.encoding.cache import cache_key

ROOT = Path(__file__).resolve().parents[2]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from([-1.0, -0.0, 0.0, 0.1, 1.0, 1e22, float("inf"), float("nan")]),
    st.floats(),
    st.sampled_from(["", "0", "1", "1.0", "true", "null", "nan", "a", "b", ",", '"', "\ud800\udc00", "\U00010000"]),
    st.text(max_size=4),
)
ALL_NAMES = ["a", "b", "c", "model", "data"]
NAMES = st.sampled_from(ALL_NAMES)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
INGREDIENTS = st.dictionaries(NAMES, VALUES, max_size=3)
KINDS = st.sampled_from(["space", "maps"])


def meaning(value: Any) -> Any:
    """Equal if, and only if, type and value are, through lists and dicts; written without the code under test."""
    if isinstance(value, dict):
        return "dict", frozenset((name, meaning(item)) for name, item in value.items())
    if isinstance(value, list):
        return "list", tuple(map(meaning, value))
    return type(value).__name__, value.hex() if isinstance(value, float) else value


def changed_once(ingredients: dict[str, Any], values: list[Any]) -> Iterator[dict[str, Any]]:
    """Each ingredient left out, and each name with each other value."""
    for name in ALL_NAMES:
        yield {n: v for n, v in ingredients.items() if n != name}
        yield from ({**ingredients, name: value} for value in values)


def test_ten_thousand_single_changes_collide_nowhere() -> None:
    meanings: dict[str, Any] = {}
    changes = 0

    @settings(max_examples=1_000, deadline=None, database=None, derandomize=True)
    @given(KINDS, INGREDIENTS, st.lists(VALUES, min_size=2, max_size=2))
    def change(kind: str, before: dict[str, Any], values: list[Any]) -> None:
        nonlocal changes
        for ingredients in (before, *changed_once(before, values)):
            what = (kind, meaning(ingredients))
            assert meanings.setdefault(cache_key(kind, **ingredients), what) == what
            changes += what != (kind, meaning(before))

    change()
    assert changes >= 10_000
    assert len(set(meanings.values())) == len(meanings)  # and one meaning has one key


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(INGREDIENTS, st.randoms())
def test_order_does_not_matter(ingredients: dict[str, Any], chance: Any) -> None:
    names = list(ingredients)
    chance.shuffle(names)
    assert cache_key("space", **{name: ingredients[name] for name in names}) == cache_key("space", **ingredients)
    nested = cache_key("space", all={name: ingredients[name] for name in names})
    assert nested == cache_key("space", all=ingredients)


IN_ANOTHER_PROCESS = """
from relviz.encoding.cache import cache_key
from relviz.jobs.answers import key
from relviz.requests import *
print(cache_key("space", a="x", b=[1, 1.0, None, {"c": "\\ud800", "d": True}]))
print(key(Maps("digits-cnn-s0", "digits-mlp-s0", "digits", Anchors(50, projection="euclidean"))))
print(key(Similarity("cka", "digits")))
"""


def test_process_place_and_hash_seed_do_not_matter(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", IN_ANOTHER_PROCESS],
            cwd=place,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "RELVIZ_CACHE": str(tmp_path / seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, place in (("0", ROOT), ("4711", tmp_path))
    ]
    first, second = (process.communicate(timeout=120)[0] for process in started)
    assert first == second and len(set(first.split())) == 3
