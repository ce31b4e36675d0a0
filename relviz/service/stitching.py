"""Use cases: which encoder can drive which head."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from relviz.core.heads import LinearHead
from relviz.core.stitching import METHODS, Method, Side, stitch_all
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.errors import UnknownName
from relviz.models.architectures import Classifier
from relviz.models.shelf import ModelCard, load_model
from relviz.models.training import Progress
from relviz.service.requests import Curve, Stitch
from relviz.service.spaces import anchor_rows, fitting_model, part, space_of


@dataclass(frozen=True)
class StitchedCell:
    """One encoder with one head by one method.

    Attributes
    ----------
    accuracy, native: stitched and native accuracy in [0, 1], or None when undefined.
    chance: accuracy of always naming the commonest class.
    n: held-out samples it was computed on.
    undefined: why there is no accuracy, or None.
    """

    encoder: str
    head: str
    method: str
    accuracy: float | None
    native: float | None
    chance: float
    n: int
    undefined: str | None


@dataclass(frozen=True)
class CurvePoint:
    """Cells of one number of anchors, method by method."""

    anchors: int
    cells: list[StitchedCell]


def stitch(request: Stitch, progress: Progress) -> list[StitchedCell]:
    """Every encoder with every head of the named models, itself included, by every asked method.

    Raises
    ------
    UnknownName: no such method.
    """
    data = load_dataset(request.data)
    rows = anchor_rows(data, request.anchors, progress)
    sides = []
    for done, name in enumerate(request.models):
        share = 0.5 / len(request.models)
        sides.append(_side(name, data, rows, part(progress, done * share, (done + 1) * share)))
    cells: list[StitchedCell] = []
    for done, head in enumerate(sides):
        progress(0.5 + 0.5 * done / len(sides), f"reading through the head of {head.name}")
        cells += _read(sides, head, data, request.methods, centred=request.anchors.centred)
    return cells


def curve_counts(data: DataSet) -> list[int]:
    """Numbers of anchors of the curve: about evenly spaced on a logarithmic scale, within the gallery."""
    return [count for count in (2, 5, 10, 20, 50, 100, 200, 300, 500) if count <= data.gallery_size]


def curve(request: Curve, progress: Progress) -> list[CurvePoint]:
    """One encoder with one head by every method, for every number of anchors of `curve_counts`."""
    data = load_dataset(request.data)
    counts = curve_counts(data)
    points = []
    for done, count in enumerate(counts):
        progress(done / len(counts), f"stitching with {count} anchors")
        rows = anchor_rows(data, replace(request.anchors, count=count), progress)
        encoder, head = (_side(name, data, rows, progress) for name in (request.encoder, request.head))
        points.append(CurvePoint(count, _read([encoder], head, data, request.methods, centred=request.anchors.centred)))
    return points


def _side(name: str, data: DataSet, anchors: Tensor, progress: Progress) -> Side:
    space = space_of(name, data.name, progress)
    return Side(
        name=name,
        gallery=space[data.gallery],
        held_out=space[data.held_out],
        anchors=anchors,
        native_head=_native_head(fitting_model(name, data)),
    )


def _native_head(card: ModelCard) -> LinearHead | None:
    network = load_model(card)
    if not isinstance(network, Classifier):
        return None
    return LinearHead(network.head.weight.detach().T.cpu(), network.head.bias.detach().cpu())


def _read(
    encoders: list[Side], head: Side, data: DataSet, names: tuple[str, ...], *, centred: bool
) -> list[StitchedCell]:
    labels = data.label_tensor()
    gallery, held_out = labels[data.gallery], labels[data.held_out]
    return [
        StitchedCell(
            encoder.name,
            head.name,
            name,
            cell.accuracy,
            cell.native,
            data.chance,
            len(encoder.held_out),
            cell.undefined,
        )
        for name in names
        for encoder, cell in zip(
            encoders,
            stitch_all(_method(name), encoders, head, gallery_labels=gallery, labels=held_out, centred=centred),
            strict=True,
        )
    ]


def _method(name: str) -> Method:
    if name not in METHODS:
        raise UnknownName("stitching method", name, METHODS)
    return METHODS[name]
