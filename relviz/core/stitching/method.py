"""What is stitched, and what a way of communication says about itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.fitting import Watch
from relviz.core.heads import LinearHead
from relviz.core.projections import project
from relviz.core.registry import Entry
from relviz.types import OptionValue


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
    _projected: dict[tuple[Hashable, ...], Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def anchor_vectors(self) -> Float[Tensor, "k d"]:
        """Vectors of the anchors."""
        return self.gallery[self.anchors]

    def relative(self, rows: str, *, projection: str, centred: bool, **options: OptionValue) -> Float[Tensor, "_ k"]:
        """Relative coordinates of the "gallery" or the "held_out" rows, computed once for all pairs of this side."""
        key = (rows, projection, centred, *sorted(options.items()))
        if key not in self._projected:
            x = getattr(self, rows)
            self._projected[key] = project(x, self.anchor_vectors, name=projection, centred=centred, **options)
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
