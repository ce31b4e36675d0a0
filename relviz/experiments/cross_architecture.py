"""What the two stitching experiments across architectures share: every encoder of a field into every head."""

from __future__ import annotations

from relviz.encoding.spaces import part
from relviz.experiments.fields import Field, pair_name, stitched
from relviz.experiments.report import Claim, Published, Row, mean, row
from relviz.plots.experiments import bars
from relviz.progress import Progress
from relviz.requests import Anchors
from relviz.usecases.stitching import StitchedCell

PLAIN, CENTRED, NATIVE, ABSOLUTE, CONTROL = (
    "relative",
    "relative, centred",
    "own head",
    "absolute, zero-padded",
    "control, shuffled anchors",
)
OWN_RELATIVE, ORTHO, STANDARD = "own head on relative vectors", "ortho", "ortho of 2311.00664, standardised"
_NAMES = {
    "absolute-padded": ABSOLUTE,
    "relative-cosine": PLAIN,
    "ortho": ORTHO,
    "ortho-rigid-standard": STANDARD,
    "control": CONTROL,
}
FRAMES = (
    "ortho centres both spaces on their anchors and fits a scale; that of 2311.00664 standardises every feature on the "
    "anchors and has no scale"
)
MEAN = "mean over unlike pairs"


def measured(field: Field, quick: bool, progress: Progress, published: dict[str, Published] | None = None) -> list[Row]:
    """Weighted F1 of every pair by every way, then the means over unlike pairs and over own heads.

    Parameters
    ----------
    published: numbers of the means, by way.
    """
    count, seeds = (40, 1) if quick else (300, 3)
    cells: list[tuple[str, StitchedCell]] = []
    for seed in range(seeds):
        half = part(progress, seed / seeds, (seed + 1) / seeds)
        anchors = Anchors(count, "uniform", seed)
        cells += [(_NAMES[c.method], c) for c in stitched(field, _NAMES, anchors, half)]
        centred = Anchors(count, "uniform", seed, centred=True)
        cells += [(CENTRED, c) for c in stitched(field, ("relative-cosine",), centred, half)]
    return _pairs(field, cells) + _means(field, cells, published or {})


def _pairs(field: Field, cells: list[tuple[str, StitchedCell]]) -> list[Row]:
    found: dict[tuple[str, str], list[float]] = {}
    for way, cell in cells:
        if cell.encoder != cell.head and cell.f1 is not None:
            found.setdefault((f"{field.title}: {pair_name(cell)}", way), []).append(cell.f1)
    return [row(where, way, mean(numbers)) for (where, way), numbers in found.items()]


def _means(field: Field, cells: list[tuple[str, StitchedCell]], published: dict[str, Published]) -> list[Row]:
    found: dict[str, list[float]] = {}
    for way, cell in cells:
        own = {PLAIN: OWN_RELATIVE, ABSOLUTE: NATIVE}.get(way) if cell.encoder == cell.head else way
        if own is not None and cell.f1 is not None:
            found.setdefault(own, []).append(cell.f1)
    where = f"{field.title}: {MEAN}"
    return [row(where, way, mean(numbers), published.get(way)) for way, numbers in found.items()]


def claims(rows: list[Row]) -> list[Claim]:
    """Relative against absolute and against shuffled anchors, pair by pair."""
    pairs: dict[str, dict[str, float]] = {}
    for each in rows:
        if not each.where.endswith(MEAN) and each.ours is not None:
            pairs.setdefault(each.where, {})[each.what] = each.ours
    return [
        _beats(pairs, PLAIN, ABSOLUTE, "Relative vectors carry over better than absolute ones on every pair."),
        _beats(pairs, PLAIN, CONTROL, "Relative vectors carry over better than with shuffled anchors on every pair."),
        _beats(pairs, CENTRED, PLAIN, "Centring on the anchors helps on every pair."),
    ]


def _beats(pairs: dict[str, dict[str, float]], better: str, worse: str, sentence: str) -> Claim:
    won = {where: found[better] > found[worse] for where, found in pairs.items()}
    means = [mean(found[way] for found in pairs.values()) for way in (better, worse)]
    lost = [where for where, wins in won.items() if not wins]
    but = f", not on {lost[0]}" + (f" and {len(lost) - 1} more" if len(lost) > 1 else "") if lost else ""
    return Claim(
        sentence,
        not lost,
        f"{sum(won.values())} of {len(won)} pairs{but}; mean F1 {means[0]:.3f} and {means[1]:.3f}",
    )


def figure(rows: list[Row]) -> dict[str, object]:
    """Means of every way, one group of bars per way."""
    heights: dict[str, dict[str, float]] = {}
    for each in rows:
        if each.where.endswith(MEAN) and each.ours is not None:
            heights.setdefault(each.where.partition(":")[0], {})[each.what] = each.ours
    return bars(heights, y=f"weighted F1, {MEAN}")
