"""Vectors in the columns of a table: one column of lists, also written as words, or one column for each dimension."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data.arranging import Place
from relviz.errors import BadFile, UnknownName

_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)")


def matrix(values: Sequence[Any] | NDArray[Any], file: object, place: Place) -> NDArray[np.float32]:
    """Rows of numbers as float32 `n x d`.

    Raises
    ------
    BadFile: a row that is no list of numbers, or of another length than the first.
    """
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return np.asarray(values, np.float32)
    rows: list[Any] = [_listed(value) if isinstance(value, str) else value for value in values]
    for i, row in enumerate(rows):
        if not isinstance(row, list) or not all(type(number) in (int, float) for number in row) or not row:
            raise BadFile(f"{file} has no list of numbers at {place(i)}.", "Give a whole vector for every sample.")
        if len(row) != len(rows[0]):
            unlike = f"{len(row)} numbers at {place(i)} and {len(rows[0])} at {place(0)}"
            raise BadFile(f"{file} has {unlike}.", "Vectors of one data set have one length.")
    with np.errstate(over="ignore"):
        return np.array(rows, np.float32).reshape(len(rows), -1)


def _listed(words: str) -> list[float] | None:
    """The numbers of a list as pandas, JSON or NumPy write it, or None; NumPy leaves out the middle of long ones.

    >>> _listed("[1.0, -2e-3]"), _listed("[0.5 1. ]"), _listed("[0.5 ... 1.]"), _listed("a, b")
    ([1.0, -0.002], [0.5, 1.0], None, None)
    """
    words = words.strip()
    if words[:1] + words[-1:] not in ("[]", "()"):
        return None
    try:
        return [float(number) for number in words[1:-1].replace(",", " ").split()]
    except ValueError:
        return None


def asked_columns(pattern: str, names: Sequence[str], *, file: object) -> list[str]:
    """The columns that `PREFIX*` names, a dimension each, in the order of the numbers after the prefix.

    Raises
    ------
    UnknownName: there is none.

    >>> asked_columns("dim_*", ["dim_10", "dim_9", "dim_x", "label"], file="f.csv")
    ['dim_9', 'dim_10']
    """
    prefix = pattern.removesuffix("*")
    found = [name for name in names if name.startswith(prefix) and _digits(name.removeprefix(prefix))]
    if not found:
        raise UnknownName(f"column in {file}", pattern, names)
    return sorted(found, key=lambda name: int(name.removeprefix(prefix)))


def usual_columns(columns: Mapping[str, Sequence[Any] | NDArray[Any]], *, file: object) -> list[str]:
    """The columns of numbers that are counted from 0 or 1 behind one prefix, a dimension each; or none.

    Raises
    ------
    BadFile: there are several such groups.

    >>> usual_columns({"label": ["a"], "e1": ["0.5"], "e2": ["1"], "text1": ["a"], "text2": ["b"]}, file="f.csv")
    ['e1', 'e2']
    """
    groups: dict[str, list[str]] = {}
    for name, values in columns.items():
        found = _NUMBERED.fullmatch(name)
        if found and len(values) and _is_number(values[0]):
            groups.setdefault(found["prefix"], []).append(name)
    whole = {}
    for prefix, names in groups.items():
        counted = sorted(int(name.removeprefix(prefix)) for name in names)
        if len(names) > 1 and counted in (list(range(len(names))), list(range(1, len(names) + 1))):
            whole[prefix] = names
    if len(whole) > 1:
        told = " and ".join(f"'{prefix}*'" for prefix in list(whole)[:3])
        raise BadFile(f"{file} has several groups of columns like vectors: {told}.", "Name one: '#vectors=PREFIX*'.")
    return asked_columns(f"{next(iter(whole))}*", list(columns), file=file) if whole else []


def wide(
    columns: Mapping[str, Sequence[Any] | NDArray[Any]], names: Sequence[str], file: object, place: Place
) -> NDArray[np.float32]:
    """A column a dimension as float32 `n x d`.

    Raises
    ------
    BadFile: a cell that is no number.
    """
    found = []
    for name in names:
        try:
            found.append(np.array(list(columns[name])).astype(np.float64))
        except (ValueError, TypeError) as error:
            i = next(i for i, value in enumerate(columns[name]) if not _is_number(value))
            told = f"{file} has no number in the column '{name[:40]}' at {place(i)}"
            raise BadFile(f"{told}.", "Give every sample a number in each of its columns.") from error
    with np.errstate(over="ignore"):
        return np.stack(found, axis=1).astype(np.float32)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (ValueError, TypeError):
        return False
    return True


def _digits(word: str) -> bool:
    return word.isascii() and word.isdigit()
