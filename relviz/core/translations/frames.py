"""Frames that anchors give a space: what is taken away from each feature, and what it is divided by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.values import finite
from relviz.errors import BadChoice

NORMALISE = ("none", "centre", "standard")
_ROUNDING = 4 * torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Frame:
    """Zero and unit of each feature of a space, in float64.

    Attributes
    ----------
    mean: what is taken away from each feature.
    spread: what it is divided by, above 0.
    """

    mean: Float[Tensor, "d"]
    spread: Float[Tensor, "d"]

    def into(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Vectors of the space, in the frame."""
        return (x.double() - self.mean) / self.spread

    def out_of(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Vectors in the frame, back in the space."""
        return x * self.spread + self.mean


def frame(anchors: Float[Tensor, "k d"], *, normalise: str) -> Frame:
    """The frame that anchors give their space.

    Parameters
    ----------
    normalise: "none" (zero and one), "centre" (the anchors' mean) or "standard" (and their unbiased standard deviation;
        1 for a feature that does not vary over the anchors).

    Raises
    ------
    BadChoice: no such frame, no anchors, or anchors that are not finite.

    >>> frame(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), normalise="standard").into(torch.tensor([[2.0, 6.0]])).tolist()
    [[0.0, 1.0]]
    """
    return inside(anchors, normalise=normalise)[0]


def inside(anchors: Float[Tensor, "k d"], *, normalise: str) -> tuple[Frame, Float[Tensor, "k d"]]:
    """The frame that anchors give their space, and the anchors in it: a feature that they share is exactly 0 there.

    Parameters
    ----------
    normalise: one of `NORMALISE`.

    Raises
    ------
    BadChoice: no anchors or no features, values that are not finite, or no such normalisation.

    >>> inside(torch.full((3, 1), 0.1), normalise="centre")[1].tolist()
    [[0.0], [0.0], [0.0]]
    """
    if normalise not in NORMALISE:
        raise BadChoice(f"There is no normalisation {normalise!r}.", f"Choose one of {', '.join(NORMALISE)}.")
    if min(anchors.shape) < 1:
        raise BadChoice("There are no anchors to fit on.", "Give at least one anchor with at least one feature.")
    x = finite(anchors.double(), "anchors")
    ones = torch.ones_like(x[0])
    if normalise == "none":
        return Frame(torch.zeros_like(ones), ones), x
    mean, vectors = centred(x)
    if normalise == "centre":
        return Frame(mean, ones), vectors
    spread = spread_of(vectors)
    return Frame(mean, spread), vectors / spread


def spread_of(vectors: Float[Tensor, "k d"]) -> Float[Tensor, "d"]:
    """Unbiased standard deviation of each feature of rows from `centred`, above 0: 1 where it does not vary.

    Raises nothing beyond shape mismatches.

    >>> spread_of(torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])).tolist()
    [1.0, 1.0]
    """
    spread = vectors.square().sum(0).div(max(1, len(vectors) - 1)).sqrt()
    return torch.where(spread > 0, spread, 1.0)


def centred(x: Float[Tensor, "k d"]) -> tuple[Float[Tensor, "d"], Float[Tensor, "k d"]]:
    """Mean of rows in float64, and the rows without it; a feature that varies by no more than rounding is 0 throughout.

    What rounding leaves of equal anchors would count as directions, and a scale divided by it as a huge one.

    Raises nothing for one row or more.

    >>> centred(torch.full((3, 1), 0.1, dtype=torch.float64))[1].tolist()
    [[0.0], [0.0], [0.0]]
    """
    low, high = x.aminmax(dim=0)
    still = high - low <= _ROUNDING * torch.maximum(low.abs(), high.abs())
    mean = torch.where(still, low, x.mean(0))
    vectors = x - mean
    return mean, (vectors - vectors.mean(0)).masked_fill(still, 0.0)  # a mean far from 0 is itself rounded
