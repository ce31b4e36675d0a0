"""Every registered method in one place: what the command line lists and what `docs/methods.md` is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relviz.core.aggregation import AGGREGATIONS
from relviz.core.anchors import STRATEGIES
from relviz.core.heads import HEADS
from relviz.core.measures import MEASURES, Measure
from relviz.core.normalisation import POST_NORMALISATIONS, PRE_NORMALISATIONS
from relviz.core.projections import PROJECTIONS
from relviz.core.registry import Entry, Option
from relviz.core.stitching_methods import METHODS
from relviz.core.translation import TRANSLATIONS

REGISTRIES: dict[str, Mapping[str, Entry[Any]]] = {
    "anchor strategies": STRATEGIES,
    "normalisations before projection": PRE_NORMALISATIONS,
    "projections": PROJECTIONS,
    "normalisations after projection": POST_NORMALISATIONS,
    "aggregations": AGGREGATIONS,
    "translations": TRANSLATIONS,
    "measures": MEASURES,
    "heads": HEADS,
    "stitching methods": METHODS,
}


def rows() -> list[dict[str, str]]:
    """One row per registered method: kind, name, what it does, invariances, options and source."""
    return [
        {
            "kind": kind,
            "name": name,
            "what": entry.summary,
            "range": f"{entry.low:g} to {entry.high:g}" if isinstance(entry, Measure) else "",
            "invariant to": ", ".join(sorted(entry.invariances)),
            "options": "; ".join(map(_option, entry.options)),
            "source": entry.source,
        }
        for kind, registry in REGISTRIES.items()
        for name, entry in registry.items()
    ]


def markdown() -> str:
    """The tables of `docs/methods.md`, one per kind, without columns that are empty throughout."""
    parts = [
        "# Methods\n\nMade from the registries by `make docs`. Sources are arXiv numbers where there is one; formulas, "
        "shapes and errors stand in the docstrings of `relviz/core`.\n"
    ]
    for kind in REGISTRIES:
        found = [row for row in rows() if row["kind"] == kind]
        columns = [c for c in found[0] if c != "kind" and any(row[c] for row in found)]
        lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
        lines += [f"| {' | '.join(_escaped(row, c) for c in columns)} |" for row in found]
        parts.append(f"## {kind.capitalize()}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _escaped(row: dict[str, str], column: str) -> str:
    text = row[column].replace("|", "\\|")
    return f"`{text}`" if column == "name" else text


def _option(option: Option) -> str:
    limits = f" in {option.choices}" if option.choices else _range(option)
    return f"{option.name} = {option.default}{limits}: {option.summary}"


def _range(option: Option) -> str:
    if option.low is None and option.high is None:
        return ""
    low, high = ("open" if end is None else f"{end:g}" for end in (option.low, option.high))
    return f" ({low} to {high})"
