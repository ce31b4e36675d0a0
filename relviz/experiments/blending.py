"""Fine-tuning at stitching time: the attention's blending ("QKV opt") against the head ("MLP opt")."""

from __future__ import annotations

from relviz.core.stitching import TUNING_ROWS
from relviz.encoding.spaces import part
from relviz.errors import MissingData
from relviz.experiments.fields import Field, digits, foreign, pair_name, stitched, trec
from relviz.experiments.report import Claim, Report, Row, mean, places, row, value
from relviz.plots.experiments import bars
from relviz.progress import Progress
from relviz.requests import Anchors

ZERO, QKV, HEAD = METHODS = ("product-attention", "product-attention-blending", "product-attention-head")
_BETWEEN = ": "


def run(quick: bool, progress: Progress) -> Report:
    """Accuracy of every pair with nothing tuned, with the blending tuned and with the head tuned."""
    fields, missing = [digits()], list[str]()
    if not quick:
        try:
            fields.append(trec())
        except MissingData as error:
            missing.append(f"left out: {error}")
    rows: list[Row] = []
    for done, field in enumerate(fields):
        whole = part(progress, done / len(fields), (done + 1) / len(fields))
        rows += _rows(field, 30 if quick else 200, whole)
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[f"{field.title}, {len(field.pairs())} ordered pairs" for field in fields],
        differences=[
            "bundled networks and stored text embeddings instead of the paper's pretrained encoders",
            f"tuned for 100 steps on {TUNING_ROWS} labelled rows of the foreign encoder",
            "no published number is at hand",
            *missing,
        ],
        figure=bars(
            {method: {field.title: _mean(rows, field.title, method) for field in fields} for method in METHODS},
            y="stitched accuracy, mean over pairs",
        ),
    )


def _rows(field: Field, count: int, progress: Progress) -> list[Row]:
    cells = foreign(stitched(field, METHODS, Anchors(count), progress))
    return [row(f"{field.title}{_BETWEEN}{pair_name(cell)}", cell.method, cell.accuracy) for cell in cells]


def _mean(rows: list[Row], field: str, method: str) -> float:
    return mean(value(rows, where, method) for where in places(rows) if where.startswith(f"{field}{_BETWEEN}"))


def claims(rows: list[Row]) -> list[Claim]:
    """Means over the pairs of each data set."""
    fields = list(dict.fromkeys(where.partition(_BETWEEN)[0] for where in places(rows)))
    found = {field: [_mean(rows, field, method) for method in METHODS] for field in fields}
    told = "; ".join(f"{field} {zero:.3f}, {qkv:.3f}, {head:.3f}" for field, (zero, qkv, head) in found.items())
    return [
        Claim("Tuning the blending helps on every data set.", all(qkv > zero for zero, qkv, _ in found.values()), told),
        Claim(
            "Tuning the blending helps more than tuning the head on every data set.",
            all(qkv > head for _, qkv, head in found.values()),
            f"untuned, blending, head: {told}",
        ),
    ]
