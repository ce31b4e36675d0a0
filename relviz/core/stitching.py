"""Zero-shot stitching: the encoder of one model with the head of another, nothing trained on the pair.

A method says which head reads a model's space and how a foreign encoder's vectors come into that space. A new one is
two functions and one line in `methods`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads import LinearHead, fit_ridge
from relviz.core.projections import cosine, layer_norm
from relviz.core.translation import ortho


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
    anchors: Int[Tensor, k]
    native_head: LinearHead | None

    @property
    def anchor_vectors(self) -> Float[Tensor, "k d"]:
        """Vectors of the anchors."""
        return self.gallery[self.anchors]


class NotApplicable(Exception):
    """Why a method cannot stitch a pair; becomes an undefined cell, never an error."""


@dataclass(frozen=True)
class Method:
    """One way of communication.

    Attributes
    ----------
    head: the head that reads a model's own space: (side, gallery labels, classes) to head.
    carry: the encoder's held-out vectors in the space that the other side's head reads.
    """

    head: Callable[[Side, Tensor, int], LinearHead]
    carry: Callable[[Side, Side], Tensor]
    summary: str
    source: str


def methods(*, centred: bool) -> dict[str, Method]:
    """All stitching methods by name.

    Parameters
    ----------
    centred: whether relative projections are centred on the anchors.

    >>> list(methods(centred=False))
    ['absolute', 'relative-cosine', 'ortho']
    """

    def relative(x: Tensor, side: Side) -> Tensor:
        return layer_norm(cosine(x, side.anchor_vectors, centred=centred))

    return {
        "absolute": Method(_native_head, _as_it_is, "the foreign vector as it is", "2209.15430, its baseline"),
        "relative-cosine": Method(
            lambda side, labels, classes: fit_ridge(relative(side.gallery, side), labels, classes=classes),
            lambda encoder, _: relative(encoder.held_out, encoder),
            "similarities to the anchors, layer-normalised, read by a head fitted on such similarities",
            "2209.15430",
        ),
        "ortho": Method(
            _native_head,
            lambda encoder, head: ortho(encoder.anchor_vectors, head.anchor_vectors)(encoder.held_out),
            "the foreign vector rotated and scaled onto the head's space, fitted on the anchors",
            "2311.00664",
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
    method: Method, encoders: list[Side], head: Side, *, gallery_labels: Int[Tensor, m], labels: Int[Tensor, n]
) -> list[Stitched]:
    """One model's head read through every encoder; the head is fitted once.

    Parameters
    ----------
    labels: classes of the held-out rows; `gallery_labels` those of the gallery.
    """
    classes = int(torch.cat([gallery_labels, labels]).max()) + 1
    try:
        reader = method.head(head, gallery_labels, classes)
        native = reader.accuracy(method.carry(head, head), labels)
    except NotApplicable as reason:
        return [Stitched(None, None, str(reason)) for _ in encoders]
    return [_stitch(method, encoder, head, reader, native, labels) for encoder in encoders]


def _stitch(method: Method, encoder: Side, head: Side, reader: LinearHead, native: float, labels: Tensor) -> Stitched:
    try:
        return Stitched(reader.accuracy(method.carry(encoder, head), labels), native)
    except NotApplicable as reason:
        return Stitched(None, native, str(reason))


def _native_head(side: Side, _labels: Tensor, _classes: int) -> LinearHead:
    if side.native_head is None:
        raise NotApplicable(f"{side.name} has no native head")
    return side.native_head


def _as_it_is(encoder: Side, head: Side) -> Tensor:
    d, e = encoder.held_out.shape[1], head.held_out.shape[1]
    if d != e:
        raise NotApplicable(f"the widths differ ({d} and {e}), so the head cannot read the vectors as they are")
    return encoder.held_out
