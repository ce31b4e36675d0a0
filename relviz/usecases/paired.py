"""Use cases over paired data sets: which samples find their partners, and which heads read across.

A pair is one thing in two data sets: a sentence in two languages, an image and its caption. Anchors are parallel, that
is pairs of both galleries, so that a model of either set can be read in the other's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from relviz.core.anchors import select_anchors
from relviz.core.measures import Pair
from relviz.core.stitching import CARRYING, METHODS, Side, stitch_all
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.data.paired import Paired, pair
from relviz.encoding.device import on_device
from relviz.encoding.spaces import check_projection, fitting_model, named_rows, part, space_of
from relviz.errors import BadChoice, UnknownName
from relviz.models.model import Model
from relviz.progress import Progress
from relviz.requests import Anchors, PairBoard, Pairs
from relviz.types import options_of
from relviz.usecases.stitching import moved, side_of
from relviz.usecases.table import declare, one_stage

WAYS = ("absolute", "relative", *(way for way in CARRYING if METHODS[way].family != "absolute"), "control")


@dataclass(frozen=True)
class Found:
    """What one way of communication from A to B does for the held-out pairs.

    Attributes
    ----------
    way: a key of `WAYS`.
    mrr: mean reciprocal rank of the partner among B's samples by cosine, in (0, 1]; None when undefined.
    recall_1, recall_5, recall_10: share of partners among the first so many, in [0, 1]; None when undefined.
    own: MRR of B's vectors among themselves, below 1 where samples of B are alike; None when undefined.
    n: pairs it was computed on.
    chance: MRR of a random order.
    undefined: why there is no retrieval, or None.
    accuracy, native: of B's head on A's encoder and on its own, in [0, 1], or None when undefined.
    unread: why there is no accuracy, or None.
    """

    way: str
    mrr: float | None
    recall_1: float | None
    recall_5: float | None
    recall_10: float | None
    own: float | None
    n: int
    chance: float
    undefined: str | None
    accuracy: float | None
    native: float | None
    unread: str | None


@dataclass(frozen=True)
class Retrieval:
    """Answer to `Pairs`, way by way.

    Attributes
    ----------
    gallery: pairs that anchors could be chosen from.
    unpaired: samples of A and of B that belong to no pair.
    there, back: from A to B, from B to A.
    """

    gallery: int
    unpaired: tuple[int, int]
    there: list[Found]
    back: list[Found]


@dataclass(frozen=True)
class RetrievalBoard:
    """Answer to `PairBoard`: `cells[i][j]` is from set i, read by model A, to set j, read by model B."""

    sets: tuple[str, ...]
    cells: list[list[Found]]


def retrieve(request: Pairs, progress: Progress) -> Retrieval:
    """Retrieval and accuracy of one pair of data sets in both directions, by every asked way.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value, or data sets without pairs.
    """
    _check(request.ways)
    paired = pair(load_dataset(request.data_a), load_dataset(request.data_b))
    a, b, labels = _sides(paired, request.a, request.b, request.anchors, part(progress, 0.0, 0.8))
    find = partial(_found, labels=labels, anchors=request.anchors)

    def both(where: torch.device) -> tuple[list[Found], list[Found]]:
        sides, found = (moved(a, where), moved(b, where)), (list[Found](), list[Found]())
        for done, way in enumerate(request.ways):
            progress(0.8 + 0.2 * done / len(request.ways), f"searching by {way}")
            for direction, results in zip((sides, sides[::-1]), found, strict=True):
                results.append(find(way, *direction))
        return found

    return Retrieval(paired.gallery_size, paired.unpaired, *on_device(both))


declare(Pairs, Retrieval, one_stage(retrieve))


def retrieve_all(request: PairBoard, progress: Progress) -> RetrievalBoard:
    """One way from every set of a group, read by model A, to every set, read by model B.

    Raises
    ------
    UnknownName, BadChoice: as `retrieve`.
    """
    _check((request.way,))
    sets = [load_dataset(name) for name in request.sets]

    def cell(i: int, j: int) -> Found:
        done = (i * len(sets) + j) / len(sets) ** 2
        told = part(progress, done, done + 1 / len(sets) ** 2)
        a, b, labels = _sides(pair(sets[i], sets[j]), request.a, request.b, request.anchors, told)
        return on_device(
            lambda where: _found(request.way, moved(a, where), moved(b, where), labels=labels, anchors=request.anchors)
        )

    return RetrievalBoard(request.sets, [[cell(i, j) for j in range(len(sets))] for i in range(len(sets))])


declare(PairBoard, RetrievalBoard, one_stage(retrieve_all))


def _check(ways: tuple[str, ...]) -> None:
    for way in ways:
        if way not in WAYS:
            raise UnknownName("way", way, WAYS)


def _sides(
    paired: Paired, a: str, b: str, anchors: Anchors, progress: Progress
) -> tuple[Side, Side, tuple[Tensor, Tensor] | str]:
    """Both models on the pairs, and the pairs' labels in gallery and held-out part, or why there are none."""
    rows = _anchor_pairs(paired, anchors, part(progress, 0.0, 0.1))
    labels = _labels(paired)
    read = _unlabelled if isinstance(labels, str) else side_of
    sides = []
    for done, (name, data, places) in enumerate(((a, paired.a, paired.rows_a), (b, paired.b, paired.rows_b))):
        whole = read(fitting_model(name, data), data, rows, part(progress, 0.1 + 0.45 * done, 0.55 + 0.45 * done))
        chosen = torch.from_numpy(places)
        held_out = whole.held_out[chosen[paired.held_out] - data.gallery_size]
        sides.append(replace(whole, gallery=whole.gallery[chosen[paired.gallery]], held_out=held_out))
    return sides[0], sides[1], labels


def _unlabelled(model: Model, data: DataSet, anchors: Tensor, progress: Progress) -> Side:
    space = space_of(model, data, progress)
    return Side(model.name, space[data.gallery], space[data.held_out], anchors, None)


def _anchor_pairs(paired: Paired, anchors: Anchors, progress: Progress) -> Tensor:
    """Gallery pairs of the parallel anchors, int64 `k`, by what is known of A's samples."""
    if not 1 <= anchors.count <= paired.gallery_size:
        what = f"{paired.gallery_size} pairs of '{paired.a.name}' and '{paired.b.name}' in both galleries"
        raise BadChoice(f"{anchors.count} anchors cannot be chosen from the {what}.", "Choose fewer, 1 or more.")
    check_projection(anchors.projection)
    rows = torch.from_numpy(paired.rows_a)[paired.gallery]
    if anchors.ids:
        return named_rows(anchors, [paired.a.ids[row] for row in rows.tolist()])
    return select_anchors(
        None if paired.a.labels is None else paired.a.label_tensor()[rows],
        strategy=anchors.strategy,
        count=anchors.count,
        seed=anchors.seed,
        vectors=_vectors(anchors.source, paired.a, progress)[rows] if anchors.source else None,
        frequencies=torch.arange(len(rows), 0, -1),
        **options_of(anchors.options, "strategy", anchors.strategy),
    )


def _vectors(source: str, data: DataSet, progress: Progress) -> Tensor:
    return space_of(fitting_model(source, data), data, progress)


def _labels(paired: Paired) -> tuple[Tensor, Tensor] | str:
    a, b = paired.a, paired.b
    if a.labels is None or b.labels is None:
        return "no labels on both sides"
    if a.class_names != b.class_names or (a.labels[paired.rows_a] != b.labels[paired.rows_b]).any():
        return "the two sides of a pair are labelled differently"
    labels = torch.from_numpy(a.labels[paired.rows_a])
    return labels[paired.gallery], labels[paired.held_out]


def _found(way: str, a: Side, b: Side, *, labels: tuple[Tensor, Tensor] | str, anchors: Anchors) -> Found:
    queries, keys = _carried(way, a, b, anchors)
    search = Pair(queries, keys, k=1)
    undefined = search.unusable or search.incomparable
    found = partial(
        Found,
        way=way,
        n=search.n,
        chance=sum(1 / rank for rank in range(1, search.n + 1)) / search.n,
        undefined=undefined,
        **_read(way, a, b, labels, anchors),
    )
    if undefined is not None:
        return found(mrr=None, recall_1=None, recall_5=None, recall_10=None, own=None)
    rank, own = search.retrieval.rank, Pair(keys, keys, k=1).retrieval.rank
    return found(
        mrr=_reciprocal(rank),
        recall_1=_within(rank, 1),
        recall_5=_within(rank, 5),
        recall_10=_within(rank, 10),
        own=_reciprocal(own),
    )


def _carried(way: str, a: Side, b: Side, anchors: Anchors) -> tuple[Tensor, Tensor]:
    """Vectors of A's held-out samples, and those of B's that they are compared with."""
    if way == "absolute":
        return a.held_out, b.held_out
    if way in ("relative", "control"):
        seeker = a.with_shuffled_anchors() if way == "control" else a
        how: dict[str, Any] = {
            "projection": anchors.projection,
            "centred": anchors.centred,
            **options_of(anchors.options, "projection", anchors.projection),
        }
        return seeker.relative("held_out", **how), b.relative("held_out", **how)
    return METHODS[way].function(a, b, anchors.centred), b.held_out


def _read(way: str, a: Side, b: Side, labels: tuple[Tensor, Tensor] | str, anchors: Anchors) -> dict[str, Any]:
    """What B's head makes of A's encoder."""
    if isinstance(labels, str):
        return {"accuracy": None, "native": None, "unread": labels}
    gallery, held_out = (part.to(b.gallery.device) for part in labels)
    method = METHODS[f"relative-{anchors.projection}" if way == "relative" else way]
    (read,) = stitch_all(method, [a], b, gallery_labels=gallery, labels=held_out, centred=anchors.centred)
    return {"accuracy": read.accuracy, "native": read.native, "unread": read.undefined}


def _within(rank: Tensor, first: int) -> float:
    return float((rank <= first).double().mean())


def _reciprocal(rank: Tensor) -> float:
    return float((1 / rank.double()).mean())
