"""What every head offers, and what all fits begin with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.values import finite
from relviz.errors import BadChoice

BLOCK = 8192  # rows per product


@dataclass(frozen=True)
class LinearHead:
    """Scores = x W + b, in float64.

    Attributes
    ----------
    weight: W, `d x c`.
    bias: b, `c`.
    """

    weight: Float[Tensor, "d c"]
    bias: Float[Tensor, "c"]

    @property
    def width(self) -> int:
        """Width d of the vectors it reads."""
        return self.weight.shape[0]

    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""
        return finite(x.double() @ self.weight.double() + self.bias.double(), "scores")

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return share_right(self.scores(x), labels)


def share_right(scores: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> float:
    """Share of rows whose best score is at their label, in [0, 1]; 0 without rows. Ties go to the first class.

    Raises nothing beyond shape mismatches.

    >>> share_right(torch.eye(2), torch.tensor([0, 0]))
    0.5
    """
    return float((scores.argmax(1) == labels).double().mean()) if len(labels) else 0.0


def check_labels(labels: Int[Tensor, "m"], *, rows: int, classes: int) -> None:
    """Refuses labels that do not fit the rows, or lie outside 0 to `classes` - 1.

    Raises
    ------
    BadChoice: they do.

    >>> check_labels(torch.tensor([0, 1]), rows=2, classes=2)
    """
    if rows < 1 or len(labels) != rows:
        raise BadChoice(f"There are {rows} rows and {len(labels)} labels.", "Give one label for each of 1 row or more.")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise BadChoice(f"The labels {low} to {high} are not all in 0 to {classes - 1}.", "Number the classes from 0.")


def centre_and_scale(x: Float[Tensor, "n d"]) -> tuple[Tensor, Tensor, float]:
    """Rows minus their mean, over a power of two near their largest entry (no product leaves float32); mean; power.

    Entries are in [-1, 1] unless those of x leave the range of float32; the power is above 0.

    Raises
    ------
    BadChoice: no rows, or values that are not finite.

    >>> centre_and_scale(torch.tensor([[0.0], [8.0]]))[2]
    8.0
    """
    if not len(x):
        raise BadChoice("There are 0 rows to fit on.", "Give at least one.")
    x = finite(x if x.dtype in (torch.float32, torch.float64) else x.float(), "vectors")
    mean = x.mean(0, dtype=torch.float64).to(x.dtype)
    rows = x - mean
    largest = float(rows.abs().amax()) if rows.numel() else 0.0
    unit = 2.0 ** min(126, max(-126, math.frexp(largest)[1])) if largest else 1.0
    return rows / unit, mean.double(), unit
