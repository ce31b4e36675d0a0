"""Stitched accuracy against the number of anchors and the strategy that chose them."""

from __future__ import annotations

from relviz.encoding.spaces import part
from relviz.errors import MissingData
from relviz.experiments.fields import Field, cifar, digits, fashion
from relviz.experiments.report import Claim, Published, Report, Row, mean, places, row, value
from relviz.plots.experiments import lines
from relviz.progress import Progress
from relviz.requests import Anchors, Stitch
from relviz.usecases.table import run as answer

STRATEGIES = ("uniform", "k-means", "farthest-point")
COUNTS = (5, 10, 20, 40, 100, 300)
FEW = 50  # below it, how anchors are chosen matters
PUBLISHED = {("uniform", 50): Published(0.578, "3P"), ("k-means", 50): Published(0.760, "3P")}  # weighted F1, one pair


def run(quick: bool, progress: Progress) -> Report:
    """Mean stitched accuracy of the pairs of each field, for each strategy and number of anchors."""
    seeds, counts = (1, (5, 20)) if quick else (2, COUNTS)
    fields, missing = _fields(quick)
    rows: list[Row] = []
    for done, field in enumerate(fields):
        rows += _rows(field, counts, seeds, part(progress, done / len(fields), (done + 1) / len(fields)))
    if not quick:
        rows += _beside_published(fields[-1], seeds, progress)
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[field.title for field in fields],
        differences=[
            "the published pair is a ViT-ResNet head with a ViT-small encoder on CIFAR-100 (a third party's); ours is "
            f"the mean over pairs of {fields[-1].title}, 10 classes",
            "k-means and farthest-point anchors are chosen in the encoder's space; ridge heads on layer-normalised "
            "cosines instead of a trained network",
            *missing,
        ],
        figure=lines(
            {
                strategy: (counts, [value(rows, f"{fields[0].title}, {count} anchors", strategy) for count in counts])
                for strategy in STRATEGIES
            },
            x=f"anchors ({fields[0].title})",
            y="stitched accuracy",
            log=True,
        ),
    )


def _fields(quick: bool) -> tuple[list[Field], list[str]]:
    """A few models each: anchors are chosen anew for every pair."""
    if quick:
        return [_few(digits(), 2)], []
    fields, missing = [_few(fashion(), 3), _few(digits(), 3)], list[str]()
    try:
        fields.append(_few(cifar(), 3))
    except MissingData as error:
        missing.append(f"left out: {error}")
    return fields, missing


def _few(field: Field, count: int) -> Field:
    """The first models of a field, of unlike architectures where there are several."""
    step = 2 if len(field.models) >= 2 * count else 1
    return Field(field.title, field.data, field.models[::step][:count])


def _rows(field: Field, counts: tuple[int, ...], seeds: int, progress: Progress) -> list[Row]:
    found = []
    for done, count in enumerate(counts):
        progress(done / len(counts), f"{field.title}, {count} anchors")
        for strategy in STRATEGIES:
            accuracy = _stitched(field, strategy, count, seeds)
            found.append(row(f"{field.title}, {count} anchors", strategy, accuracy))
    return found


def _beside_published(field: Field, seeds: int, progress: Progress) -> list[Row]:
    progress(0.99, "50 anchors")
    return [
        row(f"{field.title}, {count} anchors", strategy, _stitched(field, strategy, count, seeds), number)
        for (strategy, count), number in PUBLISHED.items()
    ]


def _stitched(field: Field, strategy: str, count: int, seeds: int) -> float:
    accuracies = []
    for a, b in field.pairs():
        for seed in range(seeds):
            anchors = Anchors(count, strategy, seed)
            cells = answer(Stitch((a, b), field.data, anchors, ("relative-cosine",)))
            accuracies += [cell.accuracy for cell in cells if (cell.encoder, cell.head) == (a, b)]
    return mean(accuracies)


def claims(rows: list[Row]) -> list[Claim]:
    """Strategies against uniform, field by field, over all numbers of anchors below 50."""
    few = [where for where in places(rows) if int(where.split()[-2]) < FEW]
    gains: dict[str, list[float]] = {}
    for where in few:
        best = max(value(rows, where, strategy) for strategy in STRATEGIES[1:])
        gains.setdefault(where.rpartition(", ")[0], []).append(best - value(rows, where, "uniform"))
    one = {
        (field, strategy): mean(
            value(rows, where, strategy) - value(rows, where, "uniform") for where in few if where.startswith(field)
        )
        for field in gains
        for strategy in STRATEGIES[1:]
    }
    (field, strategy), gain = max(one.items(), key=lambda item: item[1])
    return [
        Claim(
            "Below 50 anchors, k-means or farthest-point anchors beat uniform ones on at least one data set.",
            gain > 0,
            f"{strategy} on {field}: {gain:+.3f} on average",
        ),
        Claim(
            "Below 50 anchors, k-means anchors beat uniform ones on every data set.",
            all(one[name, "k-means"] > 0 for name in gains),
            "; ".join(f"{name} {one[name, 'k-means']:+.3f}" for name in gains),
        ),
    ]
