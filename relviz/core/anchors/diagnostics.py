"""Diagnostics of an anchor set: does it cover the space, do its anchors say different things, which of them matter.

Everything here reads vectors of one space (samples `n x d`, anchors `k x d`), but for `influence`, which compares two
relative spaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.blocks import by_blocks
from relviz.core.moments import moments
from relviz.core.projections.angles import cosine
from relviz.core.projections.lengths import euclidean
from relviz.core.values import checked
from relviz.errors import BadChoice, UnknownName
from relviz.types import MeasureValue

# How far a sample is from each anchor, in [0, 2] for the angle and in units of the space otherwise.
_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine": lambda x, anchors: 1 - cosine(x, anchors),
    "euclidean": euclidean,
}


@dataclass(frozen=True)
class Coverage:
    """How near samples are to their nearest anchors.

    Attributes
    ----------
    distances: of each of the n samples to its nearest anchor.
    mean, median: of the distances.
    radius: the largest, the radius of balls around the anchors that hold all samples.
    """

    distances: Float[Tensor, "n"]
    mean: float
    median: float
    radius: float


def coverage(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k e"], *, distance: str = "cosine") -> Coverage:
    """Distance of every sample to its nearest anchor, never holding all distances at once.

    Parameters
    ----------
    distance: "cosine" (1 - similarity, in [0, 2]) or "euclidean" (0 or more, in units of the space).

    Raises
    ------
    UnknownName: no such distance.
    BadChoice: no samples, no anchors, unlike widths, or values that are not finite.

    >>> coverage(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 0.0]])).distances.tolist()
    [0.0, 1.0]
    """
    if distance not in _DISTANCES:
        raise UnknownName("distance", distance, _DISTANCES)
    if len(x) == 0:
        raise BadChoice("There are no samples to cover.", "Give at least 1.")
    far = _DISTANCES[distance]
    found = by_blocks(lambda rows: far(rows, anchors).amin(1), x, columns=x.shape[1] + len(anchors))
    exact = found.double()
    return Coverage(found, float(exact.mean()), float(exact.quantile(0.5)), float(exact.max()))


def effective_rank(anchors: Float[Tensor, "k d"]) -> MeasureValue:
    """How many directions the anchors span, weak ones counted in part, in [1, min(k, d)].

    exp(-sum p log p) of the singular values p over their sum. Undefined where all anchors are zero.
    Source: Roy and Vetterli 2007, The effective rank.

    Raises
    ------
    BadChoice: no anchors, or values that are not finite.

    >>> round(effective_rank(torch.eye(3)).value, 6)
    3.0
    """
    strengths = _singular_values(anchors)
    if len(strengths) == 0:
        return MeasureValue.because("all anchors are zero vectors", len(anchors))
    p = strengths / strengths.sum()
    rank = float(torch.special.entr(p).sum().exp())
    return MeasureValue(min(max(1.0, rank), float(len(strengths))), None, len(anchors))


def condition_number(anchors: Float[Tensor, "k d"]) -> MeasureValue:
    """Largest over smallest singular value that is not zero, 1 or more: by how much an inverse enlarges noise.

    Singular values below max(k, d) times the precision of the vectors, relative to the largest, count as zero, so the
    number is always finite; undefined where all anchors are zero.

    Raises
    ------
    BadChoice: no anchors, or values that are not finite.

    >>> condition_number(torch.tensor([[4.0, 0.0], [0.0, 2.0], [0.0, 0.0]])).value
    2.0
    """
    strengths = _singular_values(anchors)
    if len(strengths) == 0:
        return MeasureValue.because("all anchors are zero vectors", len(anchors))
    return MeasureValue(float(strengths[0] / strengths[-1]), None, len(anchors))


def redundancy(anchors: Float[Tensor, "k d"]) -> MeasureValue:
    """Mean over the anchors of the largest cosine to another anchor, in [-1, 1]; 1 when every anchor has a double.

    Undefined for fewer than 2 anchors.

    Raises
    ------
    BadChoice: no anchors, or values that are not finite.

    >>> redundancy(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])).value
    0.6666666666666666
    """
    similarities = cosine(anchors, anchors).double()
    if len(anchors) < 2:
        return MeasureValue.because("redundancy needs at least 2 anchors", len(anchors))
    nearest = similarities.fill_diagonal_(-torch.inf).amax(1)
    return MeasureValue(float(nearest.mean()), None, len(anchors))


def influence(a: Float[Tensor, "n k"], b: Float[Tensor, "m l"]) -> list[MeasureValue]:
    """What each anchor adds to the linear CKA of two relative spaces: its value with all anchors minus that without
    it, in [-1, 1].

    Leaving an anchor out leaves its column out of both spaces; the other coordinates, and the centre of a centred
    projection, stay as they are. The square of each cross product's norm loses what stands in the anchor's row and
    column, so one pass over the samples serves all anchors: O(n k^2) in place of k times as much.
    Source: relviz; linear CKA of 1905.00414.

    Parameters
    ----------
    a, b: relative spaces, `n x k`, over the same samples and the same anchors.

    Returns
    -------
    One value per anchor, undefined where a space does not vary with it or without it, or where there is no other.

    Raises
    ------
    BadChoice: unlike shapes, no samples, or values that are not finite.

    >>> x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> y = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> [round(value.value, 4) for value in influence(x, y)]
    [0.4052, -0.2615]
    """
    if a.shape != b.shape:
        told = " and ".join(f"{len(x)} x {x.shape[1]}" for x in (a, b))
        raise BadChoice(f"The relative spaces are {told}.", "Take the same samples and anchors in both.")
    if len(a) == 0:
        raise BadChoice("There are no samples to compare.", "Give at least 1.")
    n, k = a.shape
    if k < 2:
        return [MeasureValue.because("no anchor is left without this one", n)] * k
    sums = moments(_scaled(a, "coordinates"), _scaled(b, "coordinates"), precise=True)
    (cross, crosses), (own_a, owns_a), (own_b, owns_b) = (_left_out(part) for part in (sums.xy, sums.xx, sums.yy))
    whole = cross / (own_a * own_b).sqrt()
    found = (whole - crosses / (owns_a * owns_b).sqrt()).tolist()
    varies = ((owns_a > 0) & (owns_b > 0)).tolist()
    reason = "a relative space does not vary without this anchor"
    return [
        MeasureValue(value, None, n) if known else MeasureValue.because(reason, n)
        for value, known in zip(found, varies, strict=True)
    ]


def _scaled(x: Tensor, what: str) -> Tensor:
    """In float64, over a power of two near the largest value, so that squares stay in range."""
    exponent = math.frexp(checked(x, what))[1]
    return torch.ldexp(x.double(), torch.tensor(-exponent, device=x.device))


def _left_out(products: Tensor) -> tuple[Tensor, Tensor]:
    """Squared norm of a `k x k` matrix, and for each place that without its row and column; zero where only rounding
    is left."""
    squares = products.square()
    whole = squares.sum()
    rest = whole - squares.sum(0) - squares.sum(1) + squares.diagonal()
    noise = 64 * torch.finfo(torch.float64).eps * whole
    return whole, torch.where(rest > noise, rest, 0.0)


def _singular_values(anchors: Tensor) -> Tensor:
    """Singular values that are not zero, largest first, over a power of two near the largest value."""
    if anchors.numel() == 0:
        raise BadChoice("There are no anchors.", "Choose at least 1.")
    strengths: Tensor = torch.linalg.svdvals(_scaled(anchors, "anchors"))
    return strengths[strengths > strengths[0] * max(anchors.shape) * torch.finfo(anchors.dtype).eps]
