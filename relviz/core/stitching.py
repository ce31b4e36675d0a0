"""Zero-shot stitching: the encoder of one model with the head of another, nothing trained on the pair.

A method says which head reads a model's space and how a foreign encoder's vectors come into that space. A new one is
one function and one entry in `METHODS`; projections and translations bring theirs from their own registries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads import LinearHead, fit_ridge
from relviz.core.inverse import translate_by_inverse
from relviz.core.projections import PROJECTIONS, layer_norm, project
from relviz.core.registry import Entry
from relviz.core.translation import TRANSLATIONS


@dataclass(frozen=True)
class Side:
    """One model in a stitch.

    Attributes
    ----------
    gallery: its vectors of the gallery, `m x d`, on which heads are fitted.
    held_out: its vectors of the held-out rows, `n x d`, on which accuracy is computed.
    anchors: gallery rows of the anchors, in order.
    native_head: its own head, if it has one.
    """

    name: str
    gallery: Float[Tensor, "m d"]
    held_out: Float[Tensor, "n d"]
    anchors: Int[Tensor, "k"]
    native_head: LinearHead | None

    @property
    def anchor_vectors(self) -> Float[Tensor, "k d"]:
        """Vectors of the anchors."""
        return self.gallery[self.anchors]


class NotApplicable(Exception):
    """Why a method cannot stitch a pair; becomes an undefined cell, never an error."""


@dataclass(frozen=True, kw_only=True)
class Method(Entry[Callable[[Side, Side, bool], Tensor]]):
    """One way of communication.

    `function` carries the encoder's held-out vectors into the space that the other side's head reads:
    (encoder, head, centred) to `n x e`.

    Attributes
    ----------
    head: the head that reads a model's own space: (side, gallery labels, classes, centred) to head.
    """

    head: Callable[[Side, Tensor, int, bool], LinearHead]


def _native_head(side: Side, _labels: Tensor, _classes: int, _centred: bool) -> LinearHead:
    if side.native_head is None:
        raise NotApplicable(f"{side.name} has no native head")
    return side.native_head


def _as_it_is(encoder: Side, head: Side, _centred: bool) -> Tensor:
    d, e = encoder.held_out.shape[1], head.held_out.shape[1]
    if d != e:
        raise NotApplicable(f"the widths differ ({d} and {e}), so the head cannot read the vectors as they are")
    return encoder.held_out


def _relative(name: str) -> Method:
    """Relative coordinates, layer-normalised as in the paper's trained models, read by a ridge head fitted on such."""
    entry = PROJECTIONS[name]

    def coordinates(x: Tensor, side: Side, centred: bool) -> Tensor:
        return layer_norm(project(x, side.anchor_vectors, name=name, centred=centred))

    def head(side: Side, labels: Tensor, classes: int, centred: bool) -> LinearHead:
        return fit_ridge(coordinates(side.gallery, side, centred), labels, classes=classes)

    return Method(
        label=f"relative, {entry.label}",
        function=lambda encoder, _, centred: coordinates(encoder.held_out, encoder, centred),
        head=head,
        summary=f"{entry.summary}, layer-normalised, read by a head fitted on such coordinates",
        source=entry.source,
    )


def _translated(name: str) -> Method:
    entry = TRANSLATIONS[name]
    return Method(
        label=entry.label,
        function=lambda encoder, head, _: entry.function(encoder.anchor_vectors, head.anchor_vectors)(encoder.held_out),
        head=_native_head,
        summary=entry.summary,
        source=entry.source,
    )


METHODS: dict[str, Method] = {
    "absolute": Method(
        label="absolute",
        function=_as_it_is,
        head=_native_head,
        summary="the foreign vector as it is: the baseline",
        source="2209.15430",
    ),
    **{f"relative-{name}": _relative(name) for name in PROJECTIONS},
    **{name: _translated(name) for name in TRANSLATIONS},
    "inverse": Method(
        label="inverse relative projection",
        function=lambda encoder, head, _: translate_by_inverse(encoder.anchor_vectors, head.anchor_vectors)(
            encoder.held_out
        ),
        head=_native_head,
        summary="relative coordinates turned back into the head's absolute space",
        source="2406.15057",
    ),
}


@dataclass(frozen=True)
class Stitched:
    """Result of one encoder with one head.

    Attributes
    ----------
    accuracy: stitched accuracy in [0, 1], or None when undefined.
    native: native accuracy, the same head on its own encoder, or None when there is no such head.
    undefined: why there is no stitched accuracy, or None.
    """

    accuracy: float | None
    native: float | None
    undefined: str | None = None


def stitch_all(
    method: Method,
    encoders: list[Side],
    head: Side,
    *,
    gallery_labels: Int[Tensor, "m"],
    labels: Int[Tensor, "n"],
    centred: bool = False,
) -> list[Stitched]:
    """One model's head read through every encoder; the head is fitted once.

    Parameters
    ----------
    labels: classes of the held-out rows; `gallery_labels` those of the gallery.
    centred: whether projections are centred on the anchors' mean.

    >>> x, labels = torch.eye(2).repeat(3, 1), torch.tensor([0, 1]).repeat(3)
    >>> side = Side("twin", x, x, torch.arange(2), None)
    >>> stitch_all(METHODS["relative-cosine"], [side], side, gallery_labels=labels, labels=labels)
    [Stitched(accuracy=1.0, native=1.0, undefined=None)]
    """
    classes = int(torch.cat([gallery_labels, labels]).max()) + 1
    try:
        reader = method.head(head, gallery_labels, classes, centred)
        native = reader.accuracy(method.function(head, head, centred), labels)
    except NotApplicable as reason:
        return [Stitched(None, None, str(reason)) for _ in encoders]
    return [_read(partial(method.function, encoder, head, centred), reader, native, labels) for encoder in encoders]


def _read(carried: Callable[[], Tensor], reader: LinearHead, native: float, labels: Tensor) -> Stitched:
    try:
        return Stitched(reader.accuracy(carried(), labels), native)
    except NotApplicable as reason:
        return Stitched(None, native, str(reason))
