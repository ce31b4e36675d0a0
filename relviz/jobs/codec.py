"""Answers as arrays and facts: tensors become arrays, everything else facts that JSON can hold.

The type hint says what is written and read: tensors, dataclasses, lists, tuples, dicts keyed by names, numbers, truth
values, text, and each of these or None. A value that does not fit its hint is an error, so that nothing half
understood ever comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from torch import Tensor

_PLAIN = (bool, int, float, str, NoneType)


def packed(value: Any, hint: Any) -> tuple[dict[str, Tensor], Any]:
    """Arrays by name, and facts.

    Raises
    ------
    ValueError: the value does not fit the hint, or the hint is of a kind not known here.

    >>> packed([("a", None), ("b", 0.5)], list[tuple[str, float | None]])
    ({}, [['a', None], ['b', 0.5]])
    """
    arrays: dict[str, Tensor] = {}
    return arrays, _packed(value, hint, arrays)


def unpacked(facts: Any, hint: Any, arrays: Mapping[str, Tensor]) -> Any:
    """What `packed` was given.

    Raises
    ------
    ValueError: arrays and facts do not hold a value of that hint.

    >>> unpacked([["a", None], ["b", 0.5]], list[tuple[str, float | None]], {})
    [('a', None), ('b', 0.5)]
    """
    if hint is Tensor:
        return _array(facts, arrays)
    if hint in _PLAIN:
        return _exactly(facts, hint)
    if _is_record(hint):
        hints = _hints(hint)
        if _exactly(facts, dict).keys() != hints.keys():
            raise ValueError(f"its fields {sorted(facts)} are not those of {hint}")
        return hint(**{name: unpacked(facts[name], of, arrays) for name, of in hints.items()})
    if get_origin(hint) is dict:
        of = _of_names(hint)
        return {name: unpacked(item, of, arrays) for name, item in _exactly(facts, dict).items()}
    if get_origin(hint) in (list, tuple):
        return get_origin(hint)(unpacked(item, of, arrays) for item, of in _items(_exactly(facts, list), hint))
    present = _present(hint)
    return None if facts is None else unpacked(facts, present, arrays)


def layout(hint: Any) -> Any:
    """What a hint stands for down to the names of all fields, as JSON can hold it: equal layouts, equal facts.

    >>> layout(list[tuple[str, float | None]])
    ['list', ['tuple', 'str', ['UnionType', 'float', 'NoneType']]]
    """
    if _is_record(hint):
        return [hint.__name__, {name: layout(of) for name, of in _hints(hint).items()}]
    if get_args(hint):
        return [getattr(get_origin(hint), "__name__", str(get_origin(hint))), *map(layout, get_args(hint))]
    return getattr(hint, "__name__", str(hint))


def _packed(value: Any, hint: Any, arrays: dict[str, Tensor]) -> Any:
    if hint is Tensor:
        name = str(len(arrays))
        arrays[name] = _exactly(value, Tensor)
        return name
    if hint in _PLAIN:
        return _exactly(float(value) if hint is float and type(value) is int else value, hint)
    if _is_record(hint):
        _exactly(value, hint)
        return {name: _packed(getattr(value, name), of, arrays) for name, of in _hints(hint).items()}
    if get_origin(hint) is dict:
        of = _of_names(hint)
        return {_exactly(name, str): _packed(item, of, arrays) for name, item in _exactly(value, dict).items()}
    if get_origin(hint) in (list, tuple):
        return [_packed(item, of, arrays) for item, of in _items(_exactly(value, get_origin(hint)), hint)]
    present = _present(hint)
    return None if value is None else _packed(value, present, arrays)


def _exactly(value: Any, kind: Any) -> Any:
    """The value, if it is of this very type: True is no number here."""
    if type(value) is not kind:
        raise ValueError(f"{value!r} is not of {kind}")
    return value


def _array(name: Any, arrays: Mapping[str, Tensor]) -> Tensor:
    if type(name) is not str or name not in arrays:
        raise ValueError(f"there is no array {name!r}")
    return arrays[name]


def _is_record(hint: Any) -> bool:
    return is_dataclass(hint)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Every field of a dataclass with its hint, inherited ones too, but no class variables."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _items(values: Sequence[Any], hint: Any) -> Iterator[tuple[Any, Any]]:
    """Each item of a list or tuple with its own hint."""
    hints = get_args(hint)
    if get_origin(hint) is list or hints[1:] == (Ellipsis,):
        hints = hints[:1] * len(values)
    return zip(values, hints, strict=True)


def _of_names(hint: Any) -> Any:
    names, items = get_args(hint)
    if names is not str:
        raise ValueError(f"{hint} is not keyed by names")
    return items


def _present(hint: Any) -> Any:
    """What a value that may be None is otherwise."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if get_origin(hint) not in (Union, UnionType) or len(kinds) != 1:
        raise ValueError(f"values of {hint} cannot be stored")
    return kinds[0]
