"""From what a file holds to a `DataSet`: everything is checked here once, and the gallery comes to stand first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data.dataset import OWN_SPLIT, PARTS, DataSet, Graph, Samples, row_numbers
from relviz.errors import BadFile

EVERY = 5  # where a source has no split, a fifth of each class is held out
_LEAST = 2  # samples in either part
_PART_WORDS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_PART_WORDS |= dict.fromkeys(("validation", "valid", "val", "dev"), "validation")
_PART_WORDS |= dict.fromkeys(("none", "unsupervised"), "none")
VALIDATION = f"{OWN_SPLIT}, the validation part held out"
DRAWN_ROWS = "a fifth of the rows is held out, drawn by their ids"
DRAWN_CLASSES = "a fifth of each class is held out, drawn by the ids of the samples"
_DRAW = b"relviz held out"  # another word, another draw

Classes = tuple[NDArray[np.int64], tuple[str, ...]]  # of each sample, and their names
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
    labels: Classes | None = None,
    ids: Sequence[str] = (),
    held_out: NDArray[np.bool_] | None = None,
    parts: Sequence[Any] | NDArray[Any] | None = None,
    notes: Sequence[str] = (),
    place: Place = row,
) -> DataSet:
    """A checked data set whose gallery stands first; within both parts the order stays.

    Parameters
    ----------
    file: where the samples come from, for messages.
    labels: classes and their names, as `class_labels` returns them.
    held_out: which rows the source holds out; or else
    parts: the part of each row, as `split_mask` takes them; without either, `drawn` draws the held-out rows.
    notes: what was left out or assumed in reading, as in `DataSet`.
    place: where in the file sample i is, for messages.

    Raises
    ------
    BadFile: too few samples in a part, unlike numbers of them, an id twice, no finite number, a class held out alone.
    """
    n = len(samples)
    facts = {
        "labels": None if labels is None else labels[0],
        "ids": ids or None,
        "entries of the split": held_out if parts is None else parts,
    }
    for what, given in facts.items():
        if given is not None and len(given) != n:
            raise BadFile(f"{file} has {n} samples and {len(given)} {what}.", "Give one for every sample.")
    _check_content(samples, ids, () if labels is None else labels[1], file, place)
    given_ids, split, noted = tuple(ids) or row_numbers(n), OWN_SPLIT, tuple(notes)
    if parts is not None:
        held_out, split = split_mask(parts, file=file, place=place)
    if held_out is None:
        held_out, split = _drawn(given_ids, labels)
        noted += (f"'{title}' comes without a split: {split}. Give it a split of its own to choose otherwise.",)
    gallery_size = n - int(held_out.sum())
    _check_parts(held_out, split, labels, file)
    order = np.concatenate([np.flatnonzero(~held_out), np.flatnonzero(held_out)])
    return DataSet(
        name=name,
        title=title,
        licence="not stated",
        samples=taken(samples, order),
        gallery_size=gallery_size,
        labels=None if labels is None else labels[0][order],
        class_names=() if labels is None else labels[1],
        ids=tuple(given_ids[i] for i in order),
        numbered=given_ids == row_numbers(n),
        split=split,
        notes=noted,
    )


def drawn(ids: Sequence[str], labels: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Which rows are held out where nothing says so: a fifth of each class, without labels a fifth of all, bool `n`.

    A row's rank in the draw follows from its id alone, so that samples of the same ids lie in the same parts, in
    whatever order they stand. The only sample of a class stays in the gallery.

    >>> drawn(["0", "1", "2", "3", "4"], None).tolist()
    [False, False, False, False, True]
    """
    ranks = np.array([_rank(name) for name in ids], np.uint64)
    kinds = np.zeros(len(ids), np.int64) if labels is None else labels
    held_out, before = np.zeros(len(ids), bool), 0
    for members in np.split(np.argsort(kinds, kind="stable"), np.cumsum(np.bincount(kinds))[:-1]):
        if len(members) > 1:  # what is left of a fifth counts for the classes after it
            count = (before + len(members)) // EVERY - before // EVERY
            held_out[members[np.argsort(ranks[members], kind="stable")[:count]]] = True
            before += len(members)
    return held_out


def _drawn(ids: Sequence[str], labels: Classes | None) -> tuple[NDArray[np.bool_], str]:
    """What is drawn, and how in words."""
    return (drawn(ids, None), DRAWN_ROWS) if labels is None else (drawn(ids, labels[0]), DRAWN_CLASSES)


def _rank(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8, key=_DRAW).digest())


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
) -> Classes:
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
    numbered = [_number(label) for label in found]
    if names:
        _check_names(names, file)
        for i, number in enumerate(numbered):
            if not (isinstance(number, int) and number < len(names)):
                raise BadFile(
                    f"{file} gives {place(i)} the label '{found[i]}', but names {len(names)} classes.",
                    f"Label with whole numbers from 0 to {len(names) - 1}.",
                )
    words = not names and any(str(number) != str(label) for label, number in zip(found, numbered, strict=True))
    for i, (label, number) in enumerate(zip(found, numbered, strict=True)):
        if number is not None and number < 0 and not (words and isinstance(label, str)):
            hint = "Negative labels usually mark samples without one: remove these."
            raise BadFile(f"{file} has the label {number} at {place(i)}.", hint)
    if names:
        return np.array(numbered, np.int64), tuple(map(str, names))
    read: list[Any] = [str(label) for label in found] if words else numbered
    kinds = sorted(set(read))
    places = {kind: i for i, kind in enumerate(kinds)}
    return np.array([places[label] for label in read], np.int64), tuple(map(str, kinds))


def unlearnt(labels: NDArray[np.int64], held_out: NDArray[np.bool_]) -> int | None:
    """The first class that is held out and that no head could learn, for the gallery has no sample of it; or None.

    >>> unlearnt(np.array([0, 1, 0]), np.array([False, True, True]))
    1
    """
    return min(set(labels[held_out].tolist()) - set(labels[~held_out].tolist()), default=None)


def split_mask(
    values: Sequence[Any] | NDArray[Any], *, file: object, place: Place = row
) -> tuple[NDArray[np.bool_], str]:
    """Which rows are held out, from words for the parts in any capitals, or the codes 0 to 3 of `PARTS`; and in words.

    The test part is held out, and where there is none, the validation part.

    Raises
    ------
    BadFile: another word.

    >>> held_out, words = split_mask(["Train", "Val", "train"], file="f.csv")
    >>> held_out.tolist(), words
    ([False, True, False], 'as its source divides it, the validation part held out')
    """
    parts = []
    for i, value in enumerate(_plain(values)):
        part = PARTS[value] if isinstance(value, int) and 0 <= value < len(PARTS) else part_of(str(value))
        if part is None:
            raise BadFile(f"{file} puts {place(i)} into the unknown part '{value}'.", "Parts are train, dev and test.")
        parts.append(part)
    last, split = ("test", OWN_SPLIT) if "test" in parts else ("validation", VALIDATION)
    return np.array([part == last for part in parts], bool), split


def part_of(word: str) -> str | None:
    """The part of `PARTS` that a word names in any capitals, or None.

    >>> part_of("Testing"), part_of("valid"), part_of("later")
    ('test', 'validation', None)
    """
    return _PART_WORDS.get(word.strip().lower())


def _plain(values: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _label(value: Any, file: object, place: Place, i: int) -> int | str:
    """A label as it stands there, without blanks around it."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            raise BadFile(f"{file} has a label at {place(i)} that is not UTF-8.", "Save labels as UTF-8.") from error
    value = value.strip() if isinstance(value, str) else value
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        raise BadFile(f"{file} has no label at {place(i)}.", "Label every sample, or none.")
    if not isinstance(value, int | str):
        raise BadFile(f"{file} has the label '{value}' at {place(i)}.", "Labels are whole numbers or words.")
    return value


def _number(label: int | str) -> int | None:
    """The whole number that a label is, or None where it is a word."""
    digits = label.removeprefix("-") if isinstance(label, str) else "0"
    return int(label) if digits.isascii() and digits.isdigit() else None


def _check_names(names: Sequence[str], file: object) -> None:
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise BadFile(f"{file} names two classes '{twice}'.", "Give every class a name of its own.")


def _check_content(samples: Samples, ids: Sequence[str], classes: Sequence[str], file: object, place: Place) -> None:
    _check_ids(ids, file, place)
    _check_finite(samples, file, place)
    _check_words("an id", ids, file, place)
    _check_words("a text", samples if isinstance(samples, tuple) else (), file, place)
    _check_words("a class", classes, file, lambda i: f"place {i} of its classes")


def _check_parts(held_out: NDArray[np.bool_], split: str, labels: Classes | None, file: object) -> None:
    n, gone = len(held_out), int(held_out.sum())
    if min(n - gone, gone) < _LEAST:
        parts = f"{n - gone} in the gallery and {gone} held out ({split})"
        raise BadFile(f"{file} has {n or 'no'} samples: {parts}.", f"Both parts need at least {_LEAST}.")
    strange = None if labels is None else unlearnt(labels[0], held_out)
    if labels is not None and strange is not None:
        told = f"holds out the class '{labels[1][strange][:40]}', of which its gallery has no sample"
        raise BadFile(f"{file} {told}.", "Divide it so that the gallery has some of every class.")


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
