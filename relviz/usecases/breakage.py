"""What breaks when a head reads a foreign encoder, from the predictions that `Readings` gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relviz.core.breakage import Reliability, class_accuracy, confused_pairs, confusion, reliability
from relviz.data.dataset import DataSet
from relviz.usecases.explain import Predictions


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


def what_breaks(data: DataSet, predictions: Predictions, *, most: int = 10) -> Breakage:
    """Compare the predictions with the labels and with each other.

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
