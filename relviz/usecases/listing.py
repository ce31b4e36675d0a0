"""Every registered method in one place: what the command line lists and what `docs/methods.md` is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relviz.core.aggregations import AGGREGATIONS
from relviz.core.anchors import STRATEGIES
from relviz.core.heads import HEADS
from relviz.core.measures import MEASURES, Measure
from relviz.core.normalisation import POST_NORMALISATIONS, PRE_NORMALISATIONS
from relviz.core.projections import PROJECTIONS
from relviz.core.registry import Entry, Option
from relviz.core.stitching import METHODS
from relviz.core.translations import TRANSLATIONS

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
_SURENESS = """## Intervals and null bands

A null band is where the value of unrelated samples falls with a chance of 95 %: ranks among permutations, exact for any
number of draws from 39 on. An interval covers the mean value over samples of the same number; where the measure has no
level of chance, what very many samples give as well, for it reaches on to the value corrected for its bias in n. It
comes from subsets of four fifths of the samples (delete-d jackknife) and is rather too wide than too narrow for
neighbour measures. Counted over 200 pairs of spaces of 100 samples by `python -m benchmarks.coverage 200`, with 100
draws, so that each share is sure to 3 %:

| measure | mean at this n | many samples | outside the null band |
| --- | --- | --- | --- |
| `cka` | 97.0% | 97.0% | 4.5% |
| `cka-debiased` | 96.5% | 96.0% | 5.0% |
| `cka-rbf` | 97.5% | 95.0% | 3.0% |
| `cka-rbf-debiased` | 96.5% | 96.5% | 2.5% |
| `svcca` | 98.0% | 97.5% | 3.5% |
| `pwcca` | 98.5% | 98.5% | 3.0% |
| `procrustes` | 98.5% | 96.0% | 3.0% |
| `rsa` | 95.5% | 96.0% | 6.5% |
| `mutual-knn` | 99.5% |  | 3.5% |
| `neighbour-jaccard` | 100.0% |  | 3.5% |
| `jaccard` | 99.5% |  | 3.5% |
| `cosine` | 94.0% | 94.0% | 2.0% |
"""


def rows() -> list[dict[str, str]]:
    """One row per registered method: kind, name, what it does, invariances, options, source and details."""
    return [
        {
            "kind": kind,
            "name": name,
            "what": entry.summary,
            "range": f"{entry.low:g} to {entry.high:g}" if isinstance(entry, Measure) else "",
            "invariant to": ", ".join(sorted(entry.invariances)),
            "options": "; ".join(map(_option, entry.options)),
            "source": entry.source,
            "detail": entry.detail,
        }
        for kind, registry in REGISTRIES.items()
        for name, entry in registry.items()
    ]


def markdown() -> str:
    """What `docs/methods.md` says: a table for each kind, without columns that are empty throughout, and details."""
    parts = [
        "# Methods\n\nMade from the registries by `make docs`. Sources are arXiv numbers where there is one; formulas, "
        "shapes and errors stand in the docstrings of `relviz/core`.\n"
    ]
    for kind in REGISTRIES:
        found = [row for row in rows() if row["kind"] == kind]
        columns = [c for c in found[0] if c not in ("kind", "detail") and any(row[c] for row in found)]
        lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
        lines += [f"| {' | '.join(_escaped(row, c) for c in columns)} |" for row in found]
        details = [f"- `{row['name']}`: {row['detail']}" for row in found if row["detail"]]
        parts.append(f"## {kind.capitalize()}\n\n" + "\n".join([*lines, *([""] if details else []), *details]) + "\n")
    return "\n".join([*parts, _SURENESS])


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
