"""The lines of CSV and TSV files as rows of cells, with every line that is no row counted and said.

Cells of CSV files may stand in quotes; in TSV files quotes are letters like others. `FILE.tsv#quote=yes` takes quotes
around cells off, and takes a quoted cell as it is, however many lines it runs over; `FILE.csv#quote=no` does not.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relviz.data.files import read_text
from relviz.errors import BadFile

SUFFIXES = (".csv", ".tsv")
_LINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Cells:
    """Rows of equally many cells, the line where each begins, and what is to be said of the reading."""

    rows: list[list[str]]
    lines: list[int]
    notes: tuple[str, ...]


def read(path: Path, *, quote: bool | None) -> Cells:
    """All rows of a file, its line of names included.

    Parameters
    ----------
    quote: whether cells may stand in quotes; None: in CSV they may, but not so that one takes whole rows in.

    Raises
    ------
    BadFile: missing, empty, not UTF-8, rows of unlike length, a quote that is not closed or that swallows rows.
    """
    text, separator = read_text(path), "\t" if path.suffix == ".tsv" else ","
    lines = _LINE.split(text.rstrip("\r\n"))
    quoted = path.suffix == ".csv" if quote is None else quote
    found = _quoted(path, text, separator) if quoted else {i: line.split(separator) for i, line in enumerate(lines, 1)}
    rows = {line: cells for line, cells in found.items() if cells not in ([], [""])}
    width = len(next(iter(rows.values()), []))
    if width == 1:  # an empty line of one column is a row without content
        rows = {line: cells or [""] for line, cells in found.items()}
    for line, cells in rows.items():
        if len(cells) != width:
            unlike = f"{len(cells)} cells in line {line} and {width} in line {next(iter(rows))}"
            raise BadFile(f"{path} has {unlike}.", "Quote texts that contain the separator.")
        if quoted and quote is None:
            _check_swallowed(path, cells, line, separator)
    notes = [*said_of_gaps([line for line in found if line not in rows], path.name)]
    notes += _said_of_long(rows, len(lines), path.name) if quoted else _said_of_quotes(rows, path.name)
    return Cells(list(rows.values()), list(rows), tuple(notes))


def said_of_gaps(lines: Sequence[int], name: str) -> list[str]:
    """A note on empty lines that were skipped.

    >>> said_of_gaps([7, 9], "f.csv")
    ['2 empty lines of f.csv were skipped, the first of them line 7.']
    """
    many = f"{len(lines)} empty lines of {name} were skipped, the first of them line" if len(lines) > 1 else ""
    return [f"{many or f'An empty line of {name} was skipped, line'} {lines[0]}."] if lines else []


def _quoted(path: Path, text: str, separator: str) -> dict[int, list[str]]:
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True, delimiter=separator)
    found, begin = dict[int, list[str]](), 1
    try:
        for cells in reader:
            found[begin] = cells
            begin = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" not in str(error):
            raise BadFile(f"{path} is damaged at line {begin} ({error}).", "Check the quotes there.") from error
        hint = "Close or double it; where quotes are letters like others, end the name with '#quote=no'."
        raise BadFile(f"{path} has a quote at line {_open(text, begin)} that is never closed.", hint) from error
    return found


def _open(text: str, begin: int) -> int:
    """The line in which the quote opens that the text does not close, from the line of its row on."""
    inside, last = False, begin
    for number, line in enumerate(_LINE.split(text)[begin - 1 :], start=begin):
        if line.replace('""', "").count('"') % 2:
            inside, last = not inside, last if inside else number
    return last


def _check_swallowed(path: Path, cells: Sequence[str], begin: int, separator: str) -> None:
    """Refuse a cell whose lines are the rest of a row, whole rows, and the beginning of one."""
    line = begin
    for place, cell in enumerate(cells):
        counts = [part.count(separator) for part in _LINE.split(cell)]
        rows = [len(cells) - 1 - place, *[len(cells) - 1] * (len(counts) - 2), place]
        if len(cells) > 1 and len(counts) > 2 and counts == rows:
            told = f"a quote at line {line} that closes only at line {line + len(counts) - 1}, after whole rows"
            hint = "Close or double it; if the cell is meant so, end the name with '#quote=yes'."
            raise BadFile(f"{path} has {told}.", hint)
        line += len(counts) - 1


def _said_of_long(rows: dict[int, list[str]], lines: int, name: str) -> list[str]:
    """A note on cells that run over several lines, as those do after a quote too many."""
    lengths = {line: sum(len(_LINE.findall(cell)) for cell in cells) for line, cells in rows.items()}
    longest = max(lengths, key=lambda line: lengths[line], default=0)
    if not longest or not lengths[longest]:
        return []
    count = sum(length > 0 for length in lengths.values())
    told = f"{count} of {len(rows)} rows of {name} run over several of its {lines} lines by their quotes"
    return [f"{told}, the longest from line {longest} to {longest + lengths[longest]}."]


def _said_of_quotes(rows: dict[int, list[str]], name: str) -> list[str]:
    """A note on quotes that seem to enclose cells but are read as part of them."""
    count = sum(len(cell) > 1 and cell[0] == cell[-1] == '"' for cells in rows.values() for cell in cells)
    told = f"{count} cells of {name} stand in quotes, which are read as part of them"
    return [f"{told}; end its name with '#quote=yes' if that is wrong."] if count else []
