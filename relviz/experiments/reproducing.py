"""`relviz reproduce`: run experiments, write their reports and figures, say which claims hold."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch

from relviz.errors import BadChoice, BadFile, MissingData, MissingPackage
from relviz.experiments.registry import EXPERIMENTS, Experiment, experiment_of
from relviz.experiments.report import Report, Told, own_folder, write
from relviz.plots.experiments import drawn
from relviz.progress import Progress

_ALL = "all"


def listing() -> list[dict[str, str]]:
    """One row per experiment: name, paper, title and the data it needs."""
    return [{"name": e.name, "paper": e.paper, "title": e.title, "needs": e.needs} for e in EXPERIMENTS.values()]


def reproduce(
    name: str | None, *, out: str | None, quick: bool, progress: Progress, say: Callable[[str], None]
) -> None:
    """Run one experiment, or "all", and write what came of each.

    Parameters
    ----------
    out: folder of the reports; None for `own_folder`.
    quick: tiny sizes, to try the recipe; the report says so.
    say: takes each line that a user is told.

    Raises
    ------
    UnknownName, BadChoice: no such experiment, or none named.
    BadFile: the folder cannot be written to.
    MissingData: at the end, when all others are done, if the data of one was not there.
    """
    if name is None:
        raise BadChoice("No experiment is named.", "Name one of 'relviz reproduce --list', or all.")
    chosen = list(EXPERIMENTS.values()) if name == _ALL else [experiment_of(name)]
    folder, lacking = Path(out) if out else own_folder(), list[str]()
    for experiment in chosen:
        told = tell(experiment, quick=quick, progress=progress)
        write(told, folder)
        draw(told, experiment.title, folder)
        if told.missing is not None:
            lacking.append(experiment.name)
        for line in lines(told):
            say(line)
    say(f"Reports: {folder}")
    if lacking:
        raise MissingData(f"Not done for want of data: {', '.join(lacking)}.", "The lines above say what to bring.")


def tell(experiment: Experiment, *, quick: bool, progress: Progress) -> Told:
    """One experiment run, with how it was made; data or packages that are not there leave a reason and no report."""
    began, report, missing = time.perf_counter(), None, None
    try:
        report = experiment.run(quick, progress)
    except (MissingData, MissingPackage) as error:
        missing = str(error)
    return Told(
        name=experiment.name,
        command=f"relviz reproduce {experiment.name}{' --quick' if quick else ''}",
        date=datetime.now(UTC).date().isoformat(),
        machine=_machine(),
        seconds=round(time.perf_counter() - began, 1),
        quick=quick,
        missing=missing,
        report=report,
    )


def lines(told: Told) -> list[str]:
    """What a user is told of a report: the claims, each with its numbers."""
    if told.report is None:
        return [f"{told.name}: not done. {told.missing}"]
    report: Report = told.report
    said = (f"  {'holds' if c.holds else 'DOES NOT HOLD'}: {c.sentence} ({c.numbers})" for c in report.claims)
    return [f"{told.name}: {len(report.rows)} numbers in {told.seconds:.0f} s", *said]


def draw(told: Told, title: str, folder: Path) -> None:
    """Write the figure as NAME.html, which works offline beside the one plotly.min.js of its folder."""
    if told.report is None or told.report.figure is None:
        return
    figure = drawn(told.report.figure).update_layout(title=title)
    try:
        figure.write_html(folder / f"{told.name}.html", include_plotlyjs="directory")
    except OSError as error:
        raise BadFile(f"{folder} cannot be written to ({error.strerror}).", "Choose another folder.") from error


def _machine() -> str:
    versions = f"Python {sys.version.split()[0]}, torch {torch.__version__}"
    return f"{platform.machine()}, {torch.get_num_threads()} threads, {versions}"
