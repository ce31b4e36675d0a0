"""The options that a registered method declares, held against what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from relviz.core.registry import Entry, Option
from relviz.errors import BadChoice, UnknownName

E = TypeVar("E", bound=Entry[Any])


def check_options(entry: Entry[Any], asked: Mapping[str, object]) -> None:
    """Refuse options that a method does not declare, and values outside what it declares.

    Raises
    ------
    UnknownName: no such option, or no such word among its choices.
    BadChoice: a value of the wrong kind or out of range.

    >>> count = Option("neighbours", 10, "edges", low=1.0)
    >>> check_options(Entry(label="Paths", function=len, summary="", source="", options=(count,)), {"neighbours": 0})
    Traceback (most recent call last):
        ...
    relviz.errors.BadChoice: neighbours = 0 is out of range. Choose at least 1.
    """
    declared = {option.name: option for option in entry.options}
    for name, value in asked.items():
        if name not in declared:
            raise UnknownName(f"option of {entry.label}", name, declared)
        _check_value(declared[name], value)


def with_options(entry: E, options: Mapping[str, object]) -> E:
    """The same method with other defaults of its function.

    Raises
    ------
    UnknownName: an option that it does not declare. BadChoice: a value of the wrong kind or out of range.

    >>> rounded = Entry(label="", function=round, summary="", source="", options=(Option("ndigits", 0, "kept"),))
    >>> with_options(rounded, {"ndigits": 1}).function(0.25)
    0.2
    """
    check_options(entry, options)
    return replace(entry, function=partial(entry.function, **options)) if options else entry


def _check_value(option: Option, value: object) -> None:
    if option.choices:
        if value not in option.choices:
            raise UnknownName(option.name, str(value), option.choices)
        return
    if not _same_kind(option.default, value):
        raise BadChoice(f"{option.name} = {value!r} is of the wrong kind.", f"Choose one like {option.default!r}.")
    if isinstance(value, int | float):
        _check_range(option, value)


def _check_range(option: Option, value: float | int) -> None:
    low = float("-inf") if option.low is None else option.low
    high = float("inf") if option.high is None else option.high
    if not low <= value <= high:  # so that NaN is out of every range
        limits = ((option.low, "at least"), (option.high, "at most"))
        hint = " and ".join(f"{words} {limit:g}" for limit, words in limits if limit is not None)
        raise BadChoice(f"{option.name} = {value!r} is out of range.", f"Choose {hint or 'a number'}.")


def _same_kind(default: object, value: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool) or not isinstance(default, float):
        return type(value) is type(default)
    return isinstance(value, int | float)
