"""Use cases: which encoder can drive which head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from relviz import settings
from relviz.core.heads import LinearHead, fit_logistic
from relviz.core.stitching import Method, Side, stitch_all
from relviz.core.stitching_methods import METHODS
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.errors import UnknownName
from relviz.models.model import Model
from relviz.models.training import Progress
from relviz.service.device import on_device
from relviz.service.memory import Kept
from relviz.service.requests import Curve, Stitch
from relviz.service.spaces import anchor_rows, fitting_model, part, space_of

_fitted: Kept[tuple[str, str], LinearHead] = Kept(settings.SPACE_BYTES // 8, lambda head: head.weight.nbytes)


@dataclass(frozen=True)
class StitchedCell:
    """One encoder with one head by one method.

    Attributes
    ----------
    accuracy, native: stitched and native accuracy in [0, 1], or None when undefined. The native head is the model's
        own; where an encoder has none for these classes, a logistic one fitted on the gallery.
    f1: weighted F1 of the stitched predictions in [0, 1], or None when undefined.
    chance: accuracy of always naming the commonest class.
    n: held-out samples it was computed on.
    undefined: why there is no accuracy, or None.
    """

    encoder: str
    head: str
    method: str
    accuracy: float | None
    f1: float | None
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
        sides.append(side_of(name, data, rows, part(progress, done * share, (done + 1) * share)))

    def read(where: torch.device) -> list[StitchedCell]:
        there, cells = [moved(side, where) for side in sides], []
        for done, head in enumerate(there):
            progress(0.5 + 0.5 * done / len(sides), f"reading through the head of {head.name}")
            cells += _read(there, head, data, request.methods, centred=request.anchors.centred)
        return cells

    return on_device(read)


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
        points.append(CurvePoint(count, on_device(partial(_curve_cells, request, data, count, progress))))
    return points


def _curve_cells(
    request: Curve, data: DataSet, count: int, progress: Progress, where: torch.device
) -> list[StitchedCell]:
    rows = anchor_rows(data, replace(request.anchors, count=count), progress)
    encoder, head = (moved(side_of(name, data, rows, progress), where) for name in (request.encoder, request.head))
    return _read([encoder], head, data, request.methods, centred=request.anchors.centred)


def side_of(name: str, data: DataSet, anchors: Tensor, progress: Progress) -> Side:
    """One model of a stitch, given the anchors' gallery rows.

    Raises
    ------
    UnknownName, BadChoice: no such model, or it does not fit the data; the data have no labels to fit a head on.
    """
    space = space_of(name, data.name, progress)
    model, gallery = fitting_model(name, data), space[data.gallery]
    return Side(
        name=name,
        gallery=gallery,
        held_out=space[data.held_out],
        anchors=anchors,
        native_head=_head(model, data, gallery),
    )


def moved(side: Side, where: torch.device) -> Side:
    """The same side on a device."""
    head = side.native_head
    return replace(
        side,
        gallery=side.gallery.to(where),
        held_out=side.held_out.to(where),
        anchors=side.anchors.to(where),
        native_head=head and LinearHead(head.weight.to(where), head.bias.to(where)),
    )


def _head(model: Model, data: DataSet, gallery: Tensor) -> LinearHead | None:
    """The model's own head; a pretrained encoder's has other classes, or there is none, then one fitted here."""
    own = model.head_for(data)
    if own is not None or model.decodes:
        return own
    key = (model.fingerprint, data.fingerprint)
    head = _fitted.get(key)
    if head is None:
        labels = data.label_tensor()[data.gallery]
        head = fit_logistic(gallery, labels, classes=len(data.class_names))
        _fitted[key] = head
    return head


def _read(
    encoders: list[Side], head: Side, data: DataSet, names: tuple[str, ...], *, centred: bool
) -> list[StitchedCell]:
    labels = data.label_tensor().to(head.gallery.device)
    gallery, held_out = labels[data.gallery], labels[data.held_out]
    return [
        StitchedCell(
            encoder.name,
            head.name,
            name,
            cell.accuracy,
            cell.f1,
            cell.native,
            data.chance,
            len(encoder.held_out),
            cell.undefined,
        )
        for name in names
        for encoder, cell in zip(
            encoders,
            stitch_all(method_of(name), encoders, head, gallery_labels=gallery, labels=held_out, centred=centred),
            strict=True,
        )
    ]


def method_of(name: str) -> Method:
    """A registered method.

    Raises
    ------
    UnknownName: no such method.
    """
    if name not in METHODS:
        raise UnknownName("stitching method", name, METHODS)
    return METHODS[name]
