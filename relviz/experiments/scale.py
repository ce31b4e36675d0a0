"""Latent vectors multiplied by a factor: what heads and decoders make of them."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, arange, zeros_like

from relviz.core.heads import LinearHead, share_right
from relviz.core.heads.logistic import fit_logistic
from relviz.core.heads.mlp import fit_mlp
from relviz.core.stitching import Reader, Side
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import fitting_model
from relviz.experiments.fields import Field, digits, fashion
from relviz.experiments.report import Claim, Report, Row, mean, row, value
from relviz.plots.experiments import lines
from relviz.progress import Progress
from relviz.requests import Rescale
from relviz.usecases.stitching import side_of
from relviz.usecases.table import run as answer

FACTORS = (0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0)
NEAR = (0.5, 2.0)  # within it, heads with a bias may lose a point of accuracy
DECODER, PICTURES = "fmnist-ae-s0", "fashion-mnist:n=1000,seed=0"
OWN, BARE, LOGISTIC, NETWORK, ERROR = (
    "own head",
    "own head without its bias",
    "logistic head",
    "MLP head with layer norm",
    f"decoder of {DECODER}, squared error",
)


def run(quick: bool, progress: Progress) -> Report:
    """Mean accuracy of four kinds of head, and one decoder's error, for every factor."""
    fields = [digits()] if quick else [digits(), fashion()]
    rows: list[Row] = []
    for field in fields:
        rows += _heads(field, 1 if quick else 5, progress)
    rows += _decoder(progress)
    title = fields[-1].title
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[*(field.title for field in fields), "1,000 Fashion-MNIST images for the decoder"],
        differences=["bundled networks instead of pretrained encoders; the notes hold no published number for this"],
        figure=lines(
            {
                what: (FACTORS, [value(rows, _where(title, factor), what) for factor in FACTORS])
                for what in (OWN, BARE, LOGISTIC, NETWORK)
            },
            x=f"factor ({title})",
            y="accuracy",
            log=True,
        ),
    )


def _where(title: str, factor: float) -> str:
    return f"{title}, times {factor}"


def _heads(field: Field, epochs: int, progress: Progress) -> list[Row]:
    data = load_dataset(field.data)
    labels, classes = data.label_tensor(), len(data.class_names)
    found: dict[tuple[float, str], list[float]] = {}
    for done, name in enumerate(field.models):
        progress(done / len(field.models), f"fitting heads on {name}")
        side = side_of(fitting_model(name, data), data, arange(1), progress)
        for what, head in _readers(side, labels[data.gallery], classes, epochs).items():
            for factor in FACTORS:
                right = share_right(head.scores(factor * side.held_out), labels[data.held_out])
                found.setdefault((factor, what), []).append(right)
    return [row(_where(field.title, factor), what, mean(numbers)) for (factor, what), numbers in found.items()]


def _readers(side: Side, labels: Tensor, classes: int, epochs: int) -> dict[str, Reader]:
    own = side.native_head
    assert own is not None  # noqa: S101 - classifiers only
    bare: LinearHead = replace(own, bias=zeros_like(own.bias))
    logistic = fit_logistic(side.gallery, labels, classes=classes)
    network = fit_mlp(side.gallery, labels, classes=classes, epochs=epochs)
    return {OWN: own, BARE: bare, LOGISTIC: logistic, NETWORK: network}


def _decoder(progress: Progress) -> list[Row]:
    (curve,) = answer(Rescale((DECODER,), PICTURES, FACTORS), progress)
    found = zip(curve.factors, curve.values, strict=True)
    return [row(_where("pictures", factor), ERROR, error) for factor, error in found]


def claims(rows: list[Row]) -> list[Claim]:
    """Heads against their accuracy at factor 1; the decoder against its error at factor 1."""
    fields = dict.fromkeys(r.where.rpartition(", ")[0] for r in rows if r.what == OWN)

    def lost(what: str, factors: tuple[float, ...]) -> float:
        at_one = {field: value(rows, _where(field, 1.0), what) for field in fields}
        return max(abs(at_one[field] - value(rows, _where(field, f), what)) for field in fields for f in factors)

    worse = min(value(rows, _where("pictures", f), ERROR) for f in NEAR) / value(rows, _where("pictures", 1.0), ERROR)
    return [
        Claim(
            "Without a bias, a linear head answers the same at every scale.",
            lost(BARE, FACTORS) <= 1e-9,
            f"largest change {lost(BARE, FACTORS):.4f}",
        ),
        Claim(
            "Between half and twice the length, heads with a bias change by at most 0.01.",
            max(lost(OWN, NEAR), lost(LOGISTIC, NEAR)) <= 0.01,
            f"own {lost(OWN, NEAR):.4f}, logistic {lost(LOGISTIC, NEAR):.4f}; "
            f"from a tenth to ten times {lost(OWN, FACTORS):.3f} and {lost(LOGISTIC, FACTORS):.3f}",
        ),
        Claim(
            "A decoder of images does notice: at half and at twice the length its error at least doubles.",
            worse >= 2,
            f"{worse:.1f} times",
        ),
    ]
