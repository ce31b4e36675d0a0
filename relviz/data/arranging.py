"""From what a file holds to a `DataSet`: everything is checked here once, and the gallery comes to stand first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data.dataset import OWN_SPLIT, DataSet, Graph, Samples, row_numbers
from relviz.errors import BadFile

EVERY = 5  # where a source has no split, every fifth row is held out
_LEAST = 2  # samples in either part
_HELD_OUT = {"train": False, "training": False, "validation": False, "valid": False, "val": False, "dev": False}
_HELD_OUT |= {"none": False, "unsupervised": False, "test": True, "testing": True}

Place = Callable[[int], str]  # how a file's reader would find sample i


def row(i: int) -> str:
    """The place of a sample that has no line of its own."""
    return f"row {i}"


def arranged(
    samples: Samples,
    *,
    name: str,
    file: object,
    title: str,
    labels: tuple[NDArray[np.int64], tuple[str, ...]] | None = None,
    ids: Sequence[str] = (),
    held_out: NDArray[np.bool_] | None = None,
    place: Place = row,
) -> DataSet:
    """A checked data set whose gallery stands first; within both parts the order stays.

    Parameters
    ----------
    file: where the samples come from, for messages.
    labels: classes and their names, as `class_labels` returns them.
    held_out: which rows the source holds out; without it every fifth row is.
    place: where in the file sample i is, for messages.

    Raises
    ------
    BadFile: no samples, too few in one part, unlike numbers of samples, labels, ids, an id twice, a number not finite.
    """
    n = len(samples)
    facts = {"labels": None if labels is None else labels[0], "ids": ids or None, "entries of the split": held_out}
    for what, given in facts.items():
        if given is not None and len(given) != n:
            raise BadFile(f"{file} has {n} samples and {len(given)} {what}.", "Give one for every sample.")
    _check_ids(ids, file, place)
    _check_finite(samples, file, place)
    _check_words("an id", ids, file, place)
    _check_words("a text", samples if isinstance(samples, tuple) else (), file, place)
    _check_words("a class", () if labels is None else labels[1], file, lambda i: f"place {i} of its classes")
    split = OWN_SPLIT
    if held_out is None:
        held_out, split = np.arange(n) % EVERY == EVERY - 1, f"every {EVERY}th row is held out"
    gallery_size = n - int(held_out.sum())
    if min(gallery_size, n - gallery_size) < _LEAST:
        parts = f"{gallery_size} in the gallery and {n - gallery_size} held out ({split})"
        raise BadFile(f"{file} has {n or 'no'} samples: {parts}.", f"Both parts need at least {_LEAST}.")
    order = np.concatenate([np.flatnonzero(~held_out), np.flatnonzero(held_out)])
    given_ids = tuple(ids) or row_numbers(n)
    return DataSet(
        name=name,
        title=title,
        licence="not stated",
        samples=taken(samples, order),
        gallery_size=gallery_size,
        labels=None if labels is None else labels[0][order],
        class_names=() if labels is None else labels[1],
        ids=tuple(given_ids[i] for i in order),
        split=split,
    )


def taken(samples: Samples, rows: NDArray[np.int64]) -> Samples:
    """Those samples in that order; of a graph only a new order of all nodes can be taken."""
    if isinstance(samples, tuple):
        return tuple(samples[i] for i in rows)
    if isinstance(samples, np.ndarray):
        # A copy of large arrays only where the order changes.
        return samples if np.array_equal(rows, np.arange(len(samples))) else samples[rows]
    places = np.empty_like(rows)
    places[rows] = np.arange(len(rows))
    return Graph(samples.features[rows], places[samples.edges], samples.parts[rows])


def class_labels(
    values: Sequence[Any] | NDArray[Any], *, file: object, names: Sequence[str] = (), place: Place = row
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Classes 0 to c-1 and their names, from whole numbers or words.

    Parameters
    ----------
    names: names of the classes 0 to c-1; without them the classes are the unlike values in sorted order.

    Raises
    ------
    BadFile: a label that is missing, no whole number or word, negative, or beyond the names; a name given twice.

    >>> class_labels(["b", "a", "b"], file="f.csv")
    (array([1, 0, 1]), ('a', 'b'))
    """
    found = [_label(value, file, place, i) for i, value in enumerate(_plain(values))]
    if names:
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise BadFile(f"{file} names two classes '{twice}'.", "Give every class a name of its own.")
        for i, label in enumerate(found):
            if not (isinstance(label, int) and label < len(names)):
                raise BadFile(
                    f"{file} gives {place(i)} the label '{label}', but names {len(names)} classes.",
                    f"Label with whole numbers from 0 to {len(names) - 1}.",
                )
        return np.array(found, np.int64), tuple(map(str, names))
    if not all(isinstance(label, int) for label in found):
        found = [str(label) for label in found]
    kinds = sorted(set(found))
    places = {kind: i for i, kind in enumerate(kinds)}
    return np.array([places[label] for label in found], np.int64), tuple(map(str, kinds))


def split_mask(values: Sequence[Any] | NDArray[Any], *, file: object, place: Place = row) -> NDArray[np.bool_]:
    """Which rows are held out, from the words train, validation, test and none, or their codes 0 to 3.

    Raises
    ------
    BadFile: another word.

    >>> split_mask(["train", "dev", "test"], file="f.csv").tolist()
    [False, False, True]
    """
    codes = ("train", "validation", "test", "none")
    held_out = []
    for i, value in enumerate(_plain(values)):
        word = codes[value] if isinstance(value, int) and 0 <= value < len(codes) else str(value).strip().lower()
        if word not in _HELD_OUT:
            raise BadFile(f"{file} puts {place(i)} into the unknown part '{value}'.", "Parts are train, dev and test.")
        held_out.append(_HELD_OUT[word])
    return np.array(held_out, bool)


def _plain(values: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _label(value: Any, file: object, place: Place, i: int) -> int | str:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            raise BadFile(f"{file} has a label at {place(i)} that is not UTF-8.", "Save labels as UTF-8.") from error
    if isinstance(value, str):
        value = value.strip()
        digits = value.removeprefix("-")
        value = int(value) if digits.isascii() and digits.isdigit() else value
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        raise BadFile(f"{file} has no label at {place(i)}.", "Label every sample, or none.")
    if not isinstance(value, int | str):
        raise BadFile(f"{file} has the label '{value}' at {place(i)}.", "Labels are whole numbers or words.")
    if isinstance(value, int) and value < 0:
        hint = "Negative labels usually mark samples without one: remove these."
        raise BadFile(f"{file} has the label {value} at {place(i)}.", hint)
    return value


def _check_ids(ids: Sequence[str], file: object, place: Place) -> None:
    seen: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name in seen:
            where = f"at {place(seen[name])} and again at {place(i)}"
            raise BadFile(f"{file} has the id '{name[:40]}' {where}.", "Give every sample an id of its own.")
        seen[name] = i


def _check_words(what: str, words: Sequence[str], file: object, place: Place) -> None:
    for i, word in enumerate(words):
        try:
            word.encode()
        except UnicodeEncodeError as error:  # half a character, which other bytes leave behind in names of files
            sentence = f"{file} has {what} at {place(i)} that is not UTF-8."
            raise BadFile(sentence.encode(errors="replace").decode(), "Save or name it as UTF-8.") from error


def _check_finite(samples: Samples, file: object, place: Place) -> None:
    numbers = samples.features if isinstance(samples, Graph) else samples
    if isinstance(numbers, np.ndarray) and numbers.dtype.kind == "f":
        # A sum is finite only where all its terms are, and needs no second array of that size.
        with np.errstate(all="ignore"):
            suspects = np.flatnonzero(~np.isfinite(numbers.sum(1)))
        for i in suspects:
            if not np.isfinite(numbers[i]).all():
                raise BadFile(f"{file} has a number that is not finite at {place(int(i))}.", "Replace or remove it.")
