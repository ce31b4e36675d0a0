"""Use cases about single samples: what is known of each of them, which of them a foreign encoder breaks, and why one
stands where it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relviz.core.measures.local import local_agreement
from relviz.core.neighbours import unit_rows
from relviz.core.projections.angles import cosine
from relviz.core.stitching import NotApplicable, Side, stitched_scores
from relviz.core.stitching.breakage import (
    Reliability,
    class_accuracy,
    confused_pairs,
    confusion,
    fit_temperature,
    reliability,
)
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.device import on_device
from relviz.encoding.spaces import anchor_rows, fitting_model, part, relative_space, space_of
from relviz.errors import BadChoice
from relviz.models.model import Model
from relviz.progress import Progress
from relviz.requests import Explain, Readings
from relviz.usecases.stitching import method_of, moved, side_of
from relviz.usecases.table import declare, one_stage


@dataclass(frozen=True)
class Predictions:
    """What the head makes of the held-out rows: natively, by its own encoder, and stitched, by the foreign one.

    Attributes
    ----------
    native, stitched: predicted classes, int64 `n`.
    native_confidence, stitched_confidence: float64 `n`, probability of the predicted class, in [0, 1], by
        softmax(scores / temperature).
    temperature: fitted on the gallery, read by the head's own encoder; see
        `relviz.core.stitching.breakage.fit_temperature`.
    """

    native: Tensor
    stitched: Tensor
    native_confidence: Tensor
    stitched_confidence: Tensor
    temperature: float


@dataclass(frozen=True)
class Reading:
    """Answer to `Readings`, for the n held-out rows.

    Attributes
    ----------
    predictions: None when there are none.
    undefined: why there are none, or None.
    agreement: float32 `n`, share of neighbours in both relative spaces (Jaccard index), in [0, 1].
    distance_a, distance_b: float32 `n`, cosine distance to the nearest anchor in each absolute space, in [0, 2].
    """

    predictions: Predictions | None
    undefined: str | None
    agreement: Tensor
    distance_a: Tensor
    distance_b: Tensor


@dataclass(frozen=True)
class Confused:
    """A class that is taken for another when stitched.

    Attributes
    ----------
    stitched, natively: how many held-out samples of it are.
    """

    of: str
    taken_for: str
    stitched: int
    natively: int


@dataclass(frozen=True)
class Breakage:
    """How the stitched predictions differ from the native ones.

    Attributes
    ----------
    broken, mended: which held-out rows are right natively and wrong stitched, and the reverse.
    right: number of rows that are right either way.
    pairs: the most frequent confusions when stitched.
    native, stitched: accuracy in each class, NaN where the held-out rows have none of it.
    native_reliability, stitched_reliability: confidence beside accuracy.
    """

    broken: NDArray[np.bool_]
    mended: NDArray[np.bool_]
    right: int
    pairs: list[Confused]
    native: list[float]
    stitched: list[float]
    native_reliability: Reliability
    stitched_reliability: Reliability


@dataclass(frozen=True)
class Neighbour:
    """One sample beside the explained one.

    Attributes
    ----------
    row: of the held-out rows.
    rank_a, rank_b: 1 for the nearest other sample of the absolute space.
    similarity_a, similarity_b: cosine, in [-1, 1].
    """

    row: int
    rank_a: int
    rank_b: int
    similarity_a: float
    similarity_b: float


@dataclass(frozen=True)
class Explanation:
    """Answer to `Explain`.

    Attributes
    ----------
    kept, lost, gained: among the k nearest in both spaces, in A only, in B only; by their rank where they are near.
    anchors: int64, gallery rows of the anchors.
    profile_a, profile_b: float32, the sample's relative vector in each model, in the anchors' order.
    """

    kept: list[Neighbour]
    lost: list[Neighbour]
    gained: list[Neighbour]
    anchors: Tensor
    profile_a: Tensor
    profile_b: Tensor


def read_samples(request: Readings, progress: Progress) -> Reading:
    """Predictions, local agreement and distances to anchors of every held-out row.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value.
    """
    data = load_dataset(request.data)
    models = [fitting_model(name, data) for name in (request.encoder, request.head)]
    a, b = _spaces(models, data, part(progress, 0.0, 0.6))
    rows = anchor_rows(data, request.anchors, progress)
    progress(0.6, "comparing neighbours")
    relative = [relative_space(space, data, request.anchors, rows) for space in (a, b)]
    agreement = on_device(lambda where: local_agreement(*(x.to(where) for x in relative), k=request.k).cpu())
    progress(0.8, "predicting")
    predictions, undefined = _predictions(request, models, data, rows, progress)
    return Reading(
        predictions, undefined, agreement.float(), *(_to_nearest_anchor(space, data, rows) for space in (a, b))
    )


declare(Readings, Reading, one_stage(read_samples))


def what_breaks(data: DataSet, predictions: Predictions, *, most: int = 10) -> Breakage:
    """What breaks when a head reads a foreign encoder: its predictions held against the labels and against each other.

    Parameters
    ----------
    most: confusions to name.
    """
    labels, names = data.label_tensor()[data.held_out], data.class_names
    native, stitched = predictions.native == labels, predictions.stitched == labels
    before, after = (
        confusion(found, labels, classes=len(names)) for found in (predictions.native, predictions.stitched)
    )
    return Breakage(
        broken=(native & ~stitched).numpy(),
        mended=(stitched & ~native).numpy(),
        right=int((native & stitched).sum()),
        pairs=[
            Confused(names[i], names[j], count, int(before[i, j])) for i, j, count in confused_pairs(after, most=most)
        ],
        native=class_accuracy(before).tolist(),
        stitched=class_accuracy(after).tolist(),
        native_reliability=reliability(predictions.native_confidence, native),
        stitched_reliability=reliability(predictions.stitched_confidence, stitched),
    )


def explain(request: Explain, progress: Progress) -> Explanation:
    """One sample's neighbours in either absolute space, and its anchor profile in either model.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value.
    """
    data = load_dataset(request.data)
    n = len(data) - data.gallery_size
    _check(request, n)
    spaces = _spaces([fitting_model(name, data) for name in (request.a, request.b)], data, progress)
    rows = anchor_rows(data, request.anchors, progress)
    (near_a, rank_a, like_a), (near_b, rank_b, like_b) = (
        _ranked(space[data.held_out], request.row, request.k) for space in spaces
    )

    def neighbours(found: list[int]) -> list[Neighbour]:
        return [
            Neighbour(row, int(rank_a[row]), int(rank_b[row]), float(like_a[row]), float(like_b[row])) for row in found
        ]

    return Explanation(
        neighbours([row for row in near_a if row in near_b]),
        neighbours([row for row in near_a if row not in near_b]),
        neighbours([row for row in near_b if row not in near_a]),
        rows,
        *(relative_space(space, data, request.anchors, rows)[request.row].float().clone() for space in spaces),
    )


declare(Explain, Explanation, one_stage(explain))


def _spaces(models: list[Model], data: DataSet, progress: Progress) -> list[Tensor]:
    parts = (part(progress, 0.0, 0.5), part(progress, 0.5, 1.0))
    return [space_of(model, data, told) for model, told in zip(models, parts, strict=True)]


def _check(request: Explain, n: int) -> None:
    if not 0 <= request.row < n:
        raise BadChoice(f"There is no held-out row {request.row}.", f"Choose one of 0 to {n - 1}.")
    if not 1 <= request.k < n:
        raise BadChoice(f"There are no {request.k} neighbours among {n} samples.", f"Choose 1 to {n - 1}.")


def _ranked(space: Tensor, row: int, k: int) -> tuple[list[int], Tensor, Tensor]:
    """The k nearest others of a row, nearest first; every row's rank, 1 for the nearest; every row's similarity."""
    unit = unit_rows(space.double())
    like = unit @ unit[row]
    like[row] = torch.inf  # the row itself has rank 0
    order = like.argsort(descending=True, stable=True)
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order))
    return order[1 : k + 1].tolist(), ranks, like


def _predictions(
    request: Readings, models: list[Model], data: DataSet, anchors: Tensor, progress: Progress
) -> tuple[Predictions | None, str | None]:
    method = method_of(request.method)
    if data.labels is None:
        return None, "the data set has no labels"
    encoder, head = (side_of(model, data, anchors, progress) for model in models)
    labels = data.label_tensor()

    def predicted(where: torch.device) -> Predictions:
        there: list[Side] = [moved(side, where) for side in (encoder, head)]
        gallery, held_out = (labels[rows].to(where) for rows in (data.gallery, data.held_out))
        own, foreign, seen = stitched_scores(
            method, *there, gallery_labels=gallery, labels=held_out, centred=request.anchors.centred
        )
        temperature = fit_temperature(seen, gallery)
        native, stitched = ((x / temperature).softmax(1).cpu().max(1) for x in (own, foreign))
        return Predictions(native.indices, stitched.indices, native.values, stitched.values, temperature)

    try:
        return on_device(predicted), None
    except NotApplicable as reason:
        return None, str(reason)


def _to_nearest_anchor(space: Tensor, data: DataSet, anchors: Tensor) -> Tensor:
    return (1 - cosine(space[data.held_out], space[data.gallery][anchors]).amax(1)).clamp_min(0).float()
