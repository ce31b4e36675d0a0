"""Zero-shot stitching: the encoder of one model with the head of another, nothing trained on the pair.

A method says which head reads a model's space and how a foreign encoder's vectors come into that space;
`stitching_methods` holds the registered ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads import LinearHead, share_right
from relviz.core.projections import project
from relviz.core.registry import Entry


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
    _projected: dict[tuple[str, str, bool], Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def anchor_vectors(self) -> Float[Tensor, "k d"]:
        """Vectors of the anchors."""
        return self.gallery[self.anchors]

    def relative(self, rows: str, *, projection: str, centred: bool) -> Float[Tensor, "_ k"]:
        """Relative coordinates of the "gallery" or the "held_out" rows, computed once for all pairs of this side."""
        key = (rows, projection, centred)
        if key not in self._projected:
            x = getattr(self, rows)
            self._projected[key] = project(x, self.anchor_vectors, name=projection, centred=centred)
        return self._projected[key]

    def with_shuffled_anchors(self) -> Side:
        """The same model with its anchors in another order, which no longer corresponds to the other model's."""
        order = torch.randperm(len(self.anchors), generator=torch.Generator().manual_seed(0))
        return replace(self, anchors=self.anchors[order.to(self.anchors.device)])


@runtime_checkable
class Reader(Protocol):
    """What reads a space: class scores `n x c` of what a method carries there."""

    def scores(self, x: Any, /) -> Tensor:
        """Class scores."""


class NotApplicable(Exception):
    """Why a method cannot stitch a pair; becomes an undefined cell, never an error."""


@dataclass(frozen=True, kw_only=True)
class Method(Entry[Callable[[Side, Side, bool], Any]]):
    """One way of communication.

    `function` carries the encoder's held-out vectors into the space that the other side's head reads:
    (encoder, head, centred) to what the reader takes, `n` rows of it.

    Attributes
    ----------
    head: what reads a model's own space: (side, gallery labels, classes, centred) to reader.
    tuned: the reader after tuning on a few labelled rows of a foreign encoder, for methods that are not zero-shot:
        (reader, encoder, gallery labels, centred) to reader.
    exact: whether a model stitched with itself gives its native accuracy exactly.
    """

    head: Callable[[Side, Tensor, int, bool], Reader]
    tuned: Callable[[Any, Side, Tensor, bool], Reader] | None = None
    exact: bool = True


@dataclass(frozen=True)
class Stitched:
    """Result of one encoder with one head.

    Attributes
    ----------
    accuracy: stitched accuracy in [0, 1], or None when undefined.
    f1: F1 of the stitched predictions, the classes' mean weighted by their samples, in [0, 1], or None.
    native: native accuracy, the same head on its own encoder, or None when there is no such head.
    undefined: why there is no stitched accuracy, or None.
    """

    accuracy: float | None
    f1: float | None
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

    >>> from relviz.core.stitching_methods import METHODS
    >>> x, labels = torch.eye(2).repeat(3, 1), torch.tensor([0, 1]).repeat(3)
    >>> side = Side("twin", x, x, torch.arange(2), None)
    >>> stitch_all(METHODS["relative-cosine"], [side], side, gallery_labels=labels, labels=labels)
    [Stitched(accuracy=1.0, f1=1.0, native=1.0, undefined=None)]
    """
    try:
        reader = _reader(method, head, gallery_labels, labels, centred)
        native = share_right(reader.scores(method.function(head, head, centred)), labels)
    except NotApplicable as reason:
        return [Stitched(None, None, None, str(reason)) for _ in encoders]
    read = partial(_scores, method, reader, head=head, gallery_labels=gallery_labels, centred=centred)
    return [_judged(partial(read, encoder), native, labels) for encoder in encoders]


def stitched_scores(
    method: Method,
    encoder: Side,
    head: Side,
    *,
    gallery_labels: Int[Tensor, "m"],
    labels: Int[Tensor, "n"],
    centred: bool = False,
) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n c"]]:
    """Class scores of the held-out rows by the head's own encoder and by the foreign one: what breaks when stitched.

    Parameters are those of `stitch_all`.

    Raises
    ------
    NotApplicable: the method cannot stitch the pair.

    >>> from relviz.core.stitching_methods import METHODS
    >>> x, labels = torch.eye(2).repeat(3, 1), torch.tensor([0, 1]).repeat(3)
    >>> side = Side("twin", x, x, torch.arange(2), None)
    >>> own, foreign = stitched_scores(METHODS["relative-l1"], side, side, gallery_labels=labels, labels=labels)
    >>> bool((own == foreign).all())
    True
    """
    reader = _reader(method, head, gallery_labels, labels, centred)
    foreign = _scores(method, reader, encoder, head=head, gallery_labels=gallery_labels, centred=centred)
    return reader.scores(method.function(head, head, centred)), foreign


def weighted_f1(predicted: Int[Tensor, "n"], labels: Int[Tensor, "n"]) -> float:
    """F1 score of each class, averaged with the classes' numbers of samples as weights, in [0, 1]; 0 without rows.

    As scikit-learn's `f1_score` with `average="weighted"`.

    >>> weighted_f1(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    0.6666666666666666
    """
    if len(labels) == 0:
        return 0.0
    classes = int(torch.maximum(predicted.max(), labels.max())) + 1
    right = labels[predicted == labels].bincount(minlength=classes).double()
    said, there = (x.bincount(minlength=classes).double() for x in (predicted, labels))
    return float((2 * right / (said + there).clamp_min(1) * there).sum() / len(labels))


def _reader(method: Method, head: Side, gallery_labels: Tensor, labels: Tensor, centred: bool) -> Reader:
    classes = int(torch.cat([gallery_labels, labels]).max()) + 1
    return method.head(head, gallery_labels, classes, centred)


def _scores(
    method: Method, reader: Reader, encoder: Side, *, head: Side, gallery_labels: Tensor, centred: bool
) -> Tensor:
    if method.tuned is not None:
        reader = method.tuned(reader, encoder, gallery_labels, centred)
    return reader.scores(method.function(encoder, head, centred))


def _judged(read: Callable[[], Tensor], native: float, labels: Tensor) -> Stitched:
    try:
        scores = read()
    except NotApplicable as reason:
        return Stitched(None, None, native, str(reason))
    return Stitched(share_right(scores, labels), weighted_f1(scores.argmax(1), labels), native)
