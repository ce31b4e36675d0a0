"""Translations of 2311.00664 side by side: stitched accuracy against the number of anchors."""

from __future__ import annotations

from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import fitting_model, part
from relviz.errors import MissingData
from relviz.experiments.fields import Field, cifar, digits, fashion, foreign, stitched, trec
from relviz.experiments.report import Claim, Report, Row, mean, places, row, value
from relviz.plots.experiments import lines
from relviz.progress import Progress
from relviz.requests import Anchors

# What a report calls an estimator, and the method that it is: the paper's standardise each feature and have no scale.
METHODS = {
    "ortho": "ortho-rigid-standard",
    "l-ortho": "l-ortho-standard",
    "linear": "linear-standard",
    "affine": "affine",
    "ortho, centred, with a scale": "ortho",
}
WIDEST = 1000  # above it, singular value decompositions would take most of the half hour that all experiments have
SHARES = (0.125, 0.25, 0.5, 1.0, 1.5, 4.0)  # anchors over the width; below 2 is where the claim speaks


def run(quick: bool, progress: Progress) -> Report:
    """Every estimator for every number of anchors, for pairs of one width each."""
    fields, missing = _fields(quick)
    rows: list[Row] = []
    for done, field in enumerate(fields):
        rows += _rows(field, 1 if quick else 2, part(progress, done / len(fields), (done + 1) / len(fields)))
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[field.title for field in fields],
        differences=[
            "bundled networks and stored embeddings instead of the paper's pretrained encoders",
            "ortho, l-ortho and linear are the paper's, in its frame: every feature standardised on the anchors, no "
            "scale; affine is in closed form, on centred spaces, instead of 300 steps of gradient descent on "
            "standardised ones; the product's own default, centred and with one scale, stands beside them",
            f"models wider than {WIDEST} (the two EfficientNets) are left out, for time",
            "heads are the networks' own, or logistic ones fitted on the gallery",
            *missing,
        ],
        figure=_figure(rows, fields[0].title),
    )


def _fields(quick: bool) -> tuple[list[Field], list[str]]:
    """Models of one width each, so that anchors can be counted in widths."""
    found, missing = [], list[str]()
    bundled = [digits()] if quick else [fashion(), digits()]
    for field in bundled:
        found += _by_width(field)
    if not quick:
        for make in (trec, cifar):
            try:
                found += _by_width(make())
            except MissingData as error:
                missing.append(f"left out: {error}")
    return found, missing


def _by_width(field: Field) -> list[Field]:
    data = load_dataset(field.data)
    widths: dict[int, list[str]] = {}
    for name in field.models:
        widths.setdefault(fitting_model(name, data).width, []).append(name)
    return [
        Field(f"{field.title}, width {width}", field.data, tuple(names))
        for width, names in widths.items()
        if len(names) > 1 and width <= WIDEST
    ]


def _rows(field: Field, seeds: int, progress: Progress) -> list[Row]:
    data = load_dataset(field.data)
    width = fitting_model(field.models[0], data).width
    counts = [round(share * width) for share in SHARES if 2 <= share * width <= min(data.gallery_size, 1000)]
    found = []
    for done, count in enumerate(counts):
        sides = [
            stitched(field, METHODS.values(), Anchors(count, "uniform", seed), part(progress, done / len(counts), 1))
            for seed in range(seeds)
        ]
        for estimator, method in METHODS.items():
            cells = foreign(cell for cells in sides for cell in cells if cell.method == method)
            accuracy = mean(cell.accuracy for cell in cells if cell.accuracy is not None)
            found.append(row(f"{field.title}, {count} anchors", estimator, accuracy))
    return found


def claims(rows: list[Row]) -> list[Claim]:
    """Ortho against linear, place by place, where anchors are fewer than twice the width."""
    few = [where for where in places(rows) if anchors_of(where) < 2 * width_of(where)]
    gaps = {where: value(rows, where, "ortho") - value(rows, where, "linear") for where in few}
    worst = min(gaps, key=lambda where: gaps[where])
    return [
        Claim(
            "With fewer anchors than twice the width, ortho is at least as good as linear on average.",
            mean(gaps.values()) >= 0,
            f"{mean(gaps.values()):+.3f} over {len(gaps)} settings",
        ),
        Claim(
            "With fewer anchors than twice the width, ortho is at least as good as linear in every setting.",
            min(gaps.values()) >= 0,
            f"{sum(gap >= 0 for gap in gaps.values())} of {len(gaps)}; least {gaps[worst]:+.3f} at {worst}",
        ),
    ]


def width_of(where: str) -> int:
    """The width that a row's place names.

    >>> width_of("digits, width 64, 32 anchors"), anchors_of("digits, width 64, 32 anchors")
    (64, 32)
    """
    return int(where.rpartition(", ")[0].rpartition(" ")[2])


def anchors_of(where: str) -> int:
    """The number of anchors that a row's place names."""
    return int(where.split()[-2])


def _figure(rows: list[Row], title: str) -> dict[str, object]:
    shown = [where for where in places(rows) if where.startswith(title)]
    counts = [anchors_of(where) for where in shown]
    return lines(
        {method: (counts, [value(rows, where, method) for where in shown]) for method in METHODS},
        x=f"anchors ({title})",
        y="stitched accuracy",
        log=True,
    )
