"""Which projection links which pair, and whether their product is near the best of them."""

from __future__ import annotations

from relviz.core.stitching import PRODUCT
from relviz.encoding.spaces import part
from relviz.errors import MissingData
from relviz.experiments.fields import Field, cifar, digits, fashion, foreign, kind, pair_name, stitched, trec
from relviz.experiments.report import Claim, Report, Row, mean, places, row, value
from relviz.plots.experiments import bars
from relviz.progress import Progress
from relviz.requests import Anchors
from relviz.usecases.stitching import StitchedCell

SINGLE = tuple(f"relative-{name}" for name in PRODUCT)
PRODUCTS = ("product-sum", "product-concat", "product-mlp-sum")
NEAR, MOST = 0.01, 0.8  # the product is near the best single one, for most pairs
_BETWEEN = ": "  # data set and pair in a row's place


def run(quick: bool, progress: Progress) -> Report:
    """Stitched accuracy of every pair by each projection and by each product, through the same anchors."""
    fields, missing = _fields(quick)
    rows: list[Row] = []
    for done, field in enumerate(fields):
        whole = part(progress, done / len(fields), (done + 1) / len(fields))
        cells = foreign(stitched(field, (*SINGLE, *PRODUCTS), Anchors(50 if quick else 200), whole))
        rows += _rows(field, cells)
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[f"{field.title}, {len(field.pairs())} ordered pairs" for field in fields],
        differences=[
            "bundled networks and stored embeddings instead of the paper's twelve pretrained encoders",
            "single projections, sum and concatenation end in ridge heads; MLP and sum, the paper's choice, is trained "
            "for 5 epochs with a linear head",
            "cosine is a similarity and the other three are distances, so that they partly cancel in a sum of "
            "layer-normalised spaces; side by side they do not",
            *missing,
        ],
        figure=_figure(rows),
    )


def _fields(quick: bool) -> tuple[list[Field], list[str]]:
    fields, missing = [digits()], list[str]()
    if quick:
        return fields, missing
    for make in (trec, cifar):
        try:
            fields.append(make())
        except MissingData as error:
            missing.append(f"left out: {error}")
    return [fashion(), *fields], missing


def _rows(field: Field, cells: list[StitchedCell]) -> list[Row]:
    return [row(f"{field.title}{_BETWEEN}{pair_name(cell)}", cell.method, cell.accuracy) for cell in cells]


def claims(rows: list[Row]) -> list[Claim]:
    """No universal winner; a family of pairs where cosine is not the best; each product near the best single one."""
    winners = {where: max(SINGLE, key=lambda method: value(rows, where, method)) for where in places(rows)}
    counts = {method: sum(found == method for found in winners.values()) for method in SINGLE}
    found = [
        Claim(
            "No single projection is the best for every pair.",
            max(counts.values()) < len(winners),
            "best for " + ", ".join(f"{method.removeprefix('relative-')} {n}" for method, n in counts.items()),
        ),
        _family_claim(rows),
    ]
    return [*found, *(_product_claim(rows, method) for method in PRODUCTS)]


def _family_claim(rows: list[Row]) -> Claim:
    """The family of pairs, encoder's and head's architecture, in which another projection beats cosine by most."""
    gains: dict[tuple[str, str], list[float]] = {}
    for where in places(rows):
        cosine = value(rows, where, SINGLE[0])
        for method in SINGLE[1:]:
            gains.setdefault((_family(where), method), []).append(value(rows, where, method) - cosine)
    (family, method), gain = max(((key, mean(found)) for key, found in gains.items()), key=lambda item: item[1])
    return Claim(
        "For one family of pairs, cosine is not the best single projection.",
        gain > 0,
        f"{family}: {method.removeprefix('relative-')} {gain:+.3f}",
    )


def _family(where: str) -> str:
    field, _, pair = where.partition(_BETWEEN)
    return f"{field}{_BETWEEN}{' into '.join(kind(name) for name in pair.split(' into '))}"


def _product_claim(rows: list[Row], method: str) -> Claim:
    """One product against the best single projection of each pair, and where it falls short by most."""
    gaps: dict[str, dict[str, float]] = {}
    for where in places(rows):
        field, _, pair = where.partition(_BETWEEN)
        best = max(value(rows, where, single) for single in SINGLE)
        gaps.setdefault(field, {})[pair] = value(rows, where, method) - best
    good = [field for field, by_pair in gaps.items() if mean(map(_is_near, by_pair.values())) >= MOST]
    return Claim(
        f"{method} is at least the best single projection minus {NEAR} on at least {MOST:.0%} of the pairs of two data "
        "sets.",
        len(good) >= 2,
        "; ".join(f"{field} {_near(by_pair)}" for field, by_pair in gaps.items()),
    )


def _near(gaps: dict[str, float]) -> str:
    words = f"{sum(map(_is_near, gaps.values()))} of {len(gaps)}"
    worst = min(gaps, key=gaps.__getitem__)
    return words if _is_near(gaps[worst]) else f"{words}, least {gaps[worst]:+.3f} at {worst}"


def _is_near(gap: float) -> bool:
    return gap >= -NEAR - 1e-9  # 0.89 - 0.9 is a little less than -0.01


def _figure(rows: list[Row]) -> dict[str, object]:
    fields = dict.fromkeys(where.partition(_BETWEEN)[0] for where in places(rows))
    heights = {
        method: {
            field: mean(value(rows, where, method) for where in places(rows) if where.startswith(f"{field}{_BETWEEN}"))
            for field in fields
        }
        for method in (*SINGLE, *PRODUCTS)
    }
    return bars(heights, y="stitched accuracy, mean over pairs")
