"""Texts or vectors in the columns of CSV, TSV, JSON, JSONL and Parquet files.

Columns are found by their usual names, or named: `FILE.csv#text=question&label=kind&id=key&split=part`,
`FILE.parquet#vectors=embedding`, or `vectors=dim_*` where each dimension has a column of its own, dim_0, dim_1 and so
on. A CSV or TSV file without a line of names takes `header=no`; its columns are called 1, 2, ...
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data import separated as separated_lines
from relviz.data.arranging import Place, arranged, class_labels
from relviz.data.dataset import DataSet
from relviz.data.files import check_options, check_size, read_bytes, read_text
from relviz.data.vectors import asked_columns, matrix, usual_columns, wide
from relviz.errors import BadChoice, BadFile, UnknownName, one_line
from relviz.packages import needed

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
_OPTIONS = ("text", "vectors", "label", "id", "split")
_OF_SEPARATED = ("header", "quote")  # "yes" or "no"
# Usual names, the likelier first.
_USUAL = {
    "vectors": ("embedding", "embeddings", "vector", "vectors", "features"),
    "text": tuple("text sentence question content review_body review body abstract headline caption title".split()),
    "label": tuple("label labels coarse_label class category section target stars label_name label_text".split()),
    "id": ("id", "ids", "key"),
    "split": ("split",),
}
_CLASS_NAMES = ("label_name", "label_text", "class_name")


@dataclass(frozen=True)
class Table:
    """Columns by name, and for each row where in the file it stands ("line 17").

    Attributes
    ----------
    named: whether the file names its columns.
    notes: what was skipped, as in `DataSet`.
    """

    path: Path
    columns: dict[str, Sequence[Any] | NDArray[Any]]
    place: Place
    named: bool = True
    notes: tuple[str, ...] = ()

    def find(self, what: str, options: dict[str, str]) -> str | None:
        """The name of the column of vectors, text, label, id or split, or None."""
        asked = options.get(what)
        if asked is not None:
            if asked not in self.columns:
                raise UnknownName(f"column in {self.path}", asked, self.columns)
            return asked
        lower = {name.strip().lower(): name for name in reversed(self.columns)}
        return next((lower[usual] for usual in _USUAL[what] if usual in lower), None)


def load(path: Path, options: dict[str, str], *, name: str) -> DataSet:
    """The data set in a table's file.

    Raises
    ------
    BadFile: missing, empty, damaged, not UTF-8, or a row that does not fit; the line or row is named.
    UnknownName, BadChoice: no such option or column, or not its value.
    """
    separated = path.suffix in separated_lines.SUFFIXES
    check_options(options, (*_OPTIONS, *_OF_SEPARATED) if separated else _OPTIONS, path)
    header, quote = (_yes(options, name) for name in _OF_SEPARATED)
    return from_table(read_table(path, header=header is not False, quote=quote), options, name=name)


def _yes(options: dict[str, str], name: str) -> bool | None:
    value = options.get(name)
    if value not in (None, "yes", "no"):
        raise BadChoice(f"The option {name} is '{value[:40]}'.", "Write yes or no.")
    return None if value is None else value == "yes"


def from_table(table: Table, options: dict[str, str], *, name: str) -> DataSet:
    """The data set in a table's columns.

    Raises
    ------
    BadFile, UnknownName: as `load`.
    """
    file, place = table.path, table.place
    split, ids = table.find("split", options), table.find("id", options)
    return arranged(
        _samples(table, options),
        name=name,
        file=file,
        title=file.name,
        labels=_labels(table, options),
        ids=[str(value) for value in table.columns[ids]] if ids else (),
        parts=table.columns[split] if split else None,
        notes=table.notes,
        place=place,
    )


def _samples(table: Table, options: dict[str, str]) -> NDArray[np.float32] | tuple[str, ...]:
    """What the named or usual columns hold: vectors before texts, and columns of one dimension each last."""
    file, place = table.path, table.place
    asked = options.get("vectors", "")
    if asked.endswith("*") and asked not in table.columns:
        others = {options.get(what) for what in ("label", "id", "split")}
        names = asked_columns(asked, [name for name in table.columns if name not in others], file=file)
        return wide(table.columns, names, file, place)
    vectors = None if "text" in options else table.find("vectors", options)
    if vectors is not None:
        return matrix(table.columns[vectors], file, place)
    text = table.find("text", options)
    if text is not None:
        return _texts(table.columns[text], file, place)
    names = usual_columns(table.columns, file=file) if table.named else []
    if names:
        return wide(table.columns, names, file, place)
    columns = ", ".join(f"'{column[:30]}'" for column in list(table.columns)[:8])
    raise BadFile(
        f"None of the columns of {file} ({columns}) is called like texts or vectors.",
        f"Name one: '{file.name}#text=COLUMN'; where the first line is data, '{file.name}#header=no&text=1'.",
    )


def read_table(path: Path, *, header: bool = True, quote: bool | None = None) -> Table:
    """All columns of a file; header and quote are as in `relviz.data.separated`.

    Raises
    ------
    BadFile: missing, empty, damaged, not UTF-8, rows of unlike length.
    """
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix in separated_lines.SUFFIXES:
        return _separated(path, header=header, quote=quote)
    if path.suffix == ".json":
        return _objects(path, _json_list(path))
    # Only line feeds end a line of JSON: its words may hold the other ends of line that Python knows.
    lines = read_text(path).rstrip().split("\n")
    gaps = [number for number, line in enumerate(lines, start=1) if not line.strip()]
    table = _objects(path, _json_lines(path, lines))
    return replace(table, notes=tuple(separated_lines.said_of_gaps(gaps, path.name)))


def _texts(values: Sequence[Any] | NDArray[Any], file: object, place: Place) -> tuple[str, ...]:
    for i, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            raise BadFile(f"{file} has no text at {place(i)}.", "Give every sample a text, or remove the row.")
    return tuple(values)


def _labels(table: Table, options: dict[str, str]) -> tuple[NDArray[np.int64], tuple[str, ...]] | None:
    column = table.find("label", options)
    if column is None:
        return None
    file, place = table.path, table.place
    classes, names = class_labels(table.columns[column], file=file, place=place)
    called = next((other for other in _CLASS_NAMES if other in table.columns and other != column), None)
    if called is None or "label" in options:
        return classes, names
    words: dict[int, tuple[str, int]] = {}
    for i, (label, word) in enumerate(zip(classes.tolist(), table.columns[called], strict=True)):
        first, where = words.setdefault(label, (str(word), i))
        if first != str(word):
            told = f"calls the label {names[label]} '{first}' at {place(where)} and '{word}' at {place(i)}"
            raise BadFile(f"{file} {told}.", "Give one class one name.")
    return classes, tuple(words[label][0] for label in range(len(names)))


def _separated(path: Path, *, header: bool, quote: bool | None) -> Table:
    found = separated_lines.read(path, quote=quote)
    rows, lines = found.rows, found.lines
    if len(rows) <= header:
        raise BadFile(f"{path} has no rows.", "Bring a file with samples in it.")
    names = rows[0] if header else [str(i + 1) for i in range(len(rows[0]))]
    if len(set(names)) < len(names):
        hint = f"Rename one; where the first line is data, '{path.name}#header=no&text=1'."
        raise BadFile(f"{path} has two columns of the same name.", hint)
    columns = zip(names, zip(*rows[header:], strict=True), strict=True)
    return Table(path, dict(columns), lambda i: f"line {lines[i + header]}", header, found.notes)


def _json_lines(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"line {number}", _parsed(line, path, f"line {number}")


def _json_list(path: Path) -> Iterator[tuple[str, Any]]:
    found = _parsed(read_text(path), path, "its start")
    if not isinstance(found, list):
        raise BadFile(f"{path} is no list of JSON objects.", "Write a list, or one object a line as .jsonl.")
    for i, value in enumerate(found):
        yield f"entry {i}", value


def _parsed(text: str, path: Path, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} has no valid JSON at {place} ({error}).", "Write it again as JSON.") from error


def _objects(path: Path, entries: Iterable[tuple[str, Any]]) -> Table:
    places, rows = list[str](), list[dict[str, Any]]()
    for place, entry in entries:
        if not isinstance(entry, dict):
            raise BadFile(f"{path} has no JSON object at {place}.", 'Write {"text": ..., "label": ...}.')
        if rows and entry.keys() != rows[0].keys():
            odd = sorted(entry.keys() ^ rows[0].keys())[0]
            raise BadFile(f"{path} has the name '{odd[:40]}' not in every object: see {place}.", "Give all the same.")
        places.append(place)
        rows.append(entry)
    if not rows:
        raise BadFile(f"{path} has no rows.", "Bring a file with samples in it.")
    return Table(path, {name: [entry[name] for entry in rows] for name in rows[0]}, lambda i: places[i])


def _parquet(path: Path) -> Table:
    arrow = needed("pyarrow", requirement="pyarrow", purpose="Parquet files")
    parquet = needed("pyarrow.parquet", requirement="pyarrow", purpose="Parquet files")
    raw = read_bytes(path)
    try:
        file = parquet.ParquetFile(arrow.BufferReader(raw))
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        check_size(sum(group.total_byte_size for group in groups), path)
        table = file.read()
        columns = {name: _arrow_column(arrow, table.column(name).combine_chunks()) for name in table.column_names}
    except (arrow.ArrowException, OSError, ValueError, LookupError) as error:
        reason = one_line(error, most=120)
        if "utf" in reason.lower():
            raise BadFile(f"{path} holds words that are not UTF-8.", "Save them as UTF-8.") from error
        raise BadFile(f"{path} is damaged or no Parquet file ({reason}).", "Write or copy it again.") from error
    if not table.num_rows:
        raise BadFile(f"{path} has no rows.", "Bring a file with samples in it.")
    return Table(path, columns, lambda i: f"row {i}")


def _arrow_column(arrow: Any, column: Any) -> Sequence[Any] | NDArray[Any]:
    """A column as a list, or as one array where it holds vectors of one length and no gaps."""
    if arrow.types.is_binary(column.type) or arrow.types.is_large_binary(column.type):
        column = column.cast(arrow.large_string())  # refuses what is not UTF-8
    lists = (arrow.types.is_list, arrow.types.is_large_list, arrow.types.is_fixed_size_list)
    if any(is_kind(column.type) for is_kind in lists) and len(column) and not column.null_count:
        numbers = column.flatten()
        width = len(column[0])
        lengths = np.asarray(column.value_lengths())
        if arrow.types.is_floating(numbers.type) and not numbers.null_count and (lengths == width).all():
            return numbers.to_numpy(zero_copy_only=False).reshape(len(column), width)
    return column.to_pylist()
