"""Heads that read foreign encoders, and how well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.fitting import Watch, unwatched
from relviz.core.heads import share_right
from relviz.core.stitching.f1 import weighted_f1
from relviz.core.stitching.method import Method, NotApplicable, Reader, Side

SURE = 0.01  # standard error below which the mean over draws is said
LEAST_DRAWS, MOST_DRAWS = 30, 300


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

    Raises
    ------
    BadChoice: the head or the map cannot be fitted, as values are not finite or labels do not fit the rows.

    >>> from relviz.core.stitching import METHODS
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

    >>> from relviz.core.stitching import METHODS
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
