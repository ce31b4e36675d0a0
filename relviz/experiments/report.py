"""What an experiment found: rows beside published numbers, and claims that are computed from the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relviz import settings
from relviz.errors import BadFile

CERTAINTY = {
    "R": "read in an official repository",
    "S": "from the authors' slides",
    "3P": "from a third party",
}


@dataclass(frozen=True)
class Published:
    """A number somebody published.

    Attributes
    ----------
    value: in the unit of the row that it stands beside.
    certainty: a key of `CERTAINTY`.
    """

    value: float
    certainty: str


@dataclass(frozen=True)
class Row:
    """One number of ours.

    Attributes
    ----------
    where: data, pair of models or setting.
    what: method and measure.
    ours: the number, or None with the reason in `why`.
    published, certainty: the number it stands beside, where there is one.
    """

    where: str
    what: str
    ours: float | None
    published: float | None = None
    certainty: str | None = None
    why: str | None = None

    @property
    def difference(self) -> float | None:
        """Ours minus published, where there are both."""
        return None if self.ours is None or self.published is None else self.ours - self.published


@dataclass(frozen=True)
class Claim:
    """A sentence, whether it holds here, and the numbers that decide."""

    sentence: str
    holds: bool
    numbers: str


@dataclass(frozen=True)
class Report:
    """Everything one experiment says.

    Attributes
    ----------
    data: what it was computed on.
    differences: what was otherwise than in the paper.
    figure: a plotly figure as JSON, or None.
    """

    rows: list[Row]
    claims: list[Claim]
    data: list[str]
    differences: list[str]
    figure: dict[str, Any] | None = None


@dataclass(frozen=True)
class Told:
    """A report as it stands in its file, with the experiment's name and how it was made.

    Attributes
    ----------
    missing: why there is no report, such as data that is not on this machine; None where there is one.
    quick: whether it was made with tiny sizes, to try the recipe only.
    """

    name: str
    command: str
    date: str
    machine: str
    seconds: float
    quick: bool
    missing: str | None
    report: Report | None


def row(where: str, what: str, ours: float | None, published: Published | None = None, why: str | None = None) -> Row:
    """A row, beside a published number where there is one.

    >>> row("digits", "accuracy", 0.5, Published(0.4, "R")).certainty
    'R'
    """
    value, certainty = (published.value, published.certainty) if published else (None, None)
    return Row(where, what, ours, value, certainty, why)


def value(rows: Iterable[Row], where: str, what: str) -> float:
    """Our number of one row.

    >>> value([row("digits", "accuracy", 0.5)], "digits", "accuracy")
    0.5
    """
    found = next(each.ours for each in rows if (each.where, each.what) == (where, what))
    assert found is not None, f"{what} of {where} is undefined"  # noqa: S101 - claims only ask for what is there
    return found


def places(rows: Iterable[Row]) -> list[str]:
    """Every `where` of the rows once, in their order."""
    return list(dict.fromkeys(each.where for each in rows))


def mean(numbers: Iterable[float]) -> float:
    """The mean of numbers of which there is at least one.

    >>> mean([1.0, 2.0])
    1.5
    """
    found = list(numbers)
    return sum(found) / len(found)


def write(told: Told, folder: Path) -> None:
    """Write NAME.json; a row's difference is written along with it.

    Raises
    ------
    BadFile: the folder cannot be written to.
    """
    kept = asdict(told)
    if told.report is not None:
        for plain, each in zip(kept["report"]["rows"], told.report.rows, strict=True):
            plain["difference"] = each.difference
    text = json.dumps(kept, indent=1, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{told.name}.json").write_text(text + "\n")
    except OSError as error:
        raise BadFile(f"{folder} cannot be written to ({error.strerror}).", "Choose another folder.") from error


def read(file: Path) -> Told:
    """A report from its file.

    Raises
    ------
    BadFile: missing, damaged, or no report.
    """
    try:
        kept = json.loads(file.read_text())
        report = kept["report"] and _report(kept["report"])
        return Told(**{**kept, "report": report})
    except OSError as error:
        raise BadFile(f"{file} cannot be read ({error.strerror}).", "Run 'relviz reproduce' again.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadFile(f"{file} is no report ({error}).", "Run 'relviz reproduce' again.") from error


def _report(kept: Mapping[str, Any]) -> Report:
    rows = [Row(**{name: each[name] for name in each if name != "difference"}) for each in kept["rows"]]
    return Report(**{**kept, "rows": rows, "claims": [Claim(**each) for each in kept["claims"]]})


def own_folder() -> Path:
    """Where `relviz reproduce` writes unless told otherwise."""
    return settings.cache_dir() / "experiments"


def latest(name: str) -> Told | None:
    """The report of the last `relviz reproduce` on this machine, else the one that comes with relviz, else None.

    Raises
    ------
    BadFile: its file is damaged.
    """
    files = (folder / f"{name}.json" for folder in (own_folder(), settings.ASSETS / "experiments"))
    return next((read(file) for file in files if file.is_file()), None)
