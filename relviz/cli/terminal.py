"""What the command says: tables or JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any


def report(share: float, text: str) -> None:
    """Progress on standard error; on a terminal one line that keeps changing."""
    if sys.stderr.isatty():
        bar = "=" * round(20 * share)
        print(f"\r\033[K[{bar:20}] {share:4.0%} {text}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def show(result: Any, as_json: bool) -> None:
    """Rows as a table, without columns that are empty throughout; or anything as JSON.

    >>> show([{"name": "a", "value": 0.5, "why": None}, {"name": "bc", "value": None, "why": None}], False)
    name  value
    a     0.5000
    bc    -
    """
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(result, indent=1, allow_nan=False))
        return
    columns = [name for name in result[0] if any(row[name] is not None for row in result)]
    rows = [columns, *([_text(row[column]) for column in columns] for row in result)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def tell(notes: Iterable[str]) -> None:
    """Notes under a table, a line each.

    >>> tell(["The rows are taken as they come."])
    Note: The rows are taken as they come.
    """
    for note in notes:
        print(f"Note: {note}")


def show_with_notes(what: str, rows: list[dict[str, Any]], notes: list[str], as_json: bool) -> None:
    """Rows as a table with the notes under it, or both as JSON, the rows under the name of what they are."""
    if as_json:
        show({what: rows, "notes": notes}, True)
        return
    show(rows, False)
    tell(notes)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return " to ".join(map(_text, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
