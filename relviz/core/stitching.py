"""Zero-shot stitching: the encoder of one model with the head of another, nothing trained on the pair.

A method says which head reads a model's space and how a foreign encoder's vectors come into that space;
`stitching_methods` holds the registered ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.fitting import Watch, unwatched
from relviz.core.heads import LinearHead, share_right
from relviz.core.projections import project
from relviz.core.registry import Entry

SURE = 0.01  # standard error below which the mean over draws is said
LEAST_DRAWS, MOST_DRAWS = 30, 300


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

    def at_gallery(self) -> Side:
        """The same model where its gallery rows are the held-out ones."""
        there = replace(self, held_out=self.gallery)
        known = {key: found for key, found in self._projected.items() if key[0] == "gallery"}
        there._projected.update(known | {("held_out", *key[1:]): found for key, found in known.items()})
        return there

    def with_shuffled_anchors(self) -> Side:
        """The same model with its anchors in another order, which no longer corresponds to the other model's.

        The order follows from the anchors: one order for all would err alike over every anchor set of ordered classes.
        """
        order = torch.randperm(len(self.anchors), generator=torch.Generator().manual_seed(int(self.anchors.sum())))
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
    head: what reads a model's own space: (side, gallery labels, classes, centred, watch) to reader.
    native: what it reads of its own model's held-out rows: (side, centred) to what the reader takes.
    tuned: the reader after tuning on a few labelled rows of a foreign encoder, for methods that are not zero-shot:
        (reader, encoder, gallery labels, centred) to reader.
    shuffled: the reader with what it reads in another random order, for a control, which is the mean over many such:
        (reader, generator) to reader.
    family: what it is drawn among: "absolute", "relative", "product", "translation", "inverse" or "control".
    exact: whether a model stitched with itself gives its native predictions, whatever the anchors.
    slow: whether it trains a network or searches a graph: seconds where the others, in closed form, take moments.
    """

    family: str
    head: Callable[[Side, Tensor, int, bool, Watch], Reader]
    native: Callable[[Side, bool], Any]
    tuned: Callable[[Any, Side, Tensor, bool], Reader] | None = None
    shuffled: Callable[[Any, torch.Generator], Reader] | None = None
    exact: bool = True
    slow: bool = False


@dataclass(frozen=True)
class Stitched:
    """Result of one encoder with one head.

    Attributes
    ----------
    accuracy: stitched accuracy in [0, 1], or None when undefined; of a control the mean over shuffles.
    f1: F1 of the stitched predictions, the classes' mean weighted by their samples, in [0, 1], or None.
    native, native_f1: the same of the same head on its own encoder, or None when there is no such head.
    undefined: why there is no stitched accuracy, or None.
    spread, spread_f1: ends of the middle 95 % of a control's accuracies and F1 over shuffles; None of other methods.
    """

    accuracy: float | None
    f1: float | None
    native: float | None
    native_f1: float | None
    undefined: str | None = None
    spread: tuple[float, float] | None = None
    spread_f1: tuple[float, float] | None = None


def stitch_all(
    method: Method,
    encoders: list[Side],
    head: Side,
    *,
    gallery_labels: Int[Tensor, "m"],
    labels: Int[Tensor, "n"],
    centred: bool = False,
    watch: Watch = unwatched,
) -> list[Stitched]:
    """One model's head read through every encoder; the head is fitted once.

    A control is shuffled until its mean accuracy and F1 have a standard error below 0.01, 30 to 300 times.

    Parameters
    ----------
    labels: classes of the held-out rows; `gallery_labels` those of the gallery.
    centred: whether projections are centred on the anchors' mean.
    watch: told which share of the head's training is done, where it is trained.

    >>> from relviz.core.stitching_methods import METHODS
    >>> x, labels = torch.eye(2).repeat(3, 1), torch.tensor([0, 1]).repeat(3)
    >>> side = Side("twin", x, x, torch.arange(2), None)
    >>> stitch_all(METHODS["relative-cosine"], [side], side, gallery_labels=labels, labels=labels)
    [Stitched(accuracy=1.0, f1=1.0, native=1.0, native_f1=1.0, undefined=None, spread=None, spread_f1=None)]
    """
    try:
        reader = _reader(method, head, gallery_labels, labels, centred, watch)
        own = reader.scores(method.native(head, centred))
    except NotApplicable as reason:
        return [Stitched(None, None, None, None, str(reason)) for _ in encoders]
    native = share_right(own, labels), weighted_f1(own.argmax(1), labels)
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
) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n c"], Float[Tensor, "m c"]]:
    """Class scores of the held-out rows by the head's own encoder and by the foreign one, of the gallery by its own.

    Of a control those of its first shuffle. Parameters are those of `stitch_all`, but that nobody watches.

    Raises
    ------
    NotApplicable: the method cannot stitch the pair.

    >>> from relviz.core.stitching_methods import METHODS
    >>> x, labels = torch.eye(2).repeat(3, 1), torch.tensor([0, 1]).repeat(3)
    >>> side = Side("twin", x, x, torch.arange(2), None)
    >>> own, foreign, seen = stitched_scores(METHODS["relative-l1"], side, side, gallery_labels=labels, labels=labels)
    >>> bool((own == foreign).all()), seen.shape
    (True, torch.Size([6, 2]))
    """
    reader = _reader(method, head, gallery_labels, labels, centred, unwatched)
    foreign = next(_scores(method, reader, encoder, head=head, gallery_labels=gallery_labels, centred=centred))
    own, seen = (reader.scores(method.native(side, centred)) for side in (head, head.at_gallery()))
    return own, foreign, seen


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


def chance_f1(share: float) -> float:
    """Weighted F1 of always naming one class, whose share of the samples is given: 2 s^2 / (1 + s), in [0, 1].

    >>> labels = torch.tensor([0, 0, 0, 1])
    >>> round(chance_f1(0.75), 4), round(weighted_f1(torch.zeros_like(labels), labels), 4)
    (0.6429, 0.6429)
    """
    return 2 * share**2 / (1 + share)


def _reader(method: Method, head: Side, gallery_labels: Tensor, labels: Tensor, centred: bool, watch: Watch) -> Reader:
    classes = int(torch.cat([gallery_labels, labels]).max()) + 1
    return method.head(head, gallery_labels, classes, centred, watch)


def _scores(
    method: Method, reader: Reader, encoder: Side, *, head: Side, gallery_labels: Tensor, centred: bool
) -> Iterator[Tensor]:
    """Stitched class scores: once, or of a control again and again."""
    if method.tuned is not None:
        reader = method.tuned(reader, encoder, gallery_labels, centred)
    carried = method.function(encoder, head, centred)
    if method.shuffled is None:
        yield reader.scores(carried)
        return
    # From the anchors, for one order of shuffles for all would err alike over every anchor set of ordered classes.
    generator = torch.Generator().manual_seed(int(encoder.anchors.sum()))
    for _ in range(MOST_DRAWS):
        yield method.shuffled(reader, generator).scores(carried)


def _judged(read: Callable[[], Iterator[Tensor]], native: tuple[float, float], labels: Tensor) -> Stitched:
    try:
        found = _until_sure((share_right(scores, labels), weighted_f1(scores.argmax(1), labels)) for scores in read())
    except NotApplicable as reason:
        return Stitched(None, None, *native, str(reason))
    if len(found) == 1:
        return Stitched(*found[0], *native)
    values = torch.tensor(found, dtype=torch.float64)
    accuracy, f1 = values.mean(0).tolist()
    lows, highs = values.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64), dim=0).tolist()
    spread, spread_f1 = zip(lows, highs, strict=True)
    return Stitched(accuracy, f1, *native, None, spread, spread_f1)


def _until_sure(values: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found = []
    for value in values:
        found.append(value)
        if len(found) < LEAST_DRAWS:
            continue
        errors = torch.tensor(found, dtype=torch.float64).std(0) / math.sqrt(len(found))
        if float(errors.amax()) < SURE:
            break
    return found
