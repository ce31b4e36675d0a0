"""What the projections compute: each kernel takes the anchors and gives a function of one block of samples.

`related` runs a kernel over blocks of rows and keeps every value finite; `projections` holds the public functions. What
belongs to the anchors alone is computed once, when a kernel is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block
from relviz.core.rounding import centred as moved
from relviz.core.values import checked
from relviz.errors import BadChoice

_CACHED = 12 * 2**20  # bytes of a block that the processor's cache still holds when its product is divided and clamped
# A block of samples, and a place where the result may be written, to the result, there or elsewhere.
Relate = Callable[[Tensor, Tensor | None], Tensor]
Kernel = Callable[[Tensor], Relate]


def related(
    x: Tensor,
    anchors: Tensor,
    kernel: Kernel,
    *,
    centred: bool,
    precise: bool = False,
    degree: int = 0,
    whole: bool = False,
) -> Tensor:
    """A projection, in blocks of rows unless it needs the `whole`; it grows with the space to the power `degree`.

    `precise` computes it in float64 whatever the input.
    """
    result, working, scale = _precision(x, anchors, precise=precise)
    points = _scaled(anchors, working, scale)
    middle = points.mean(0, dtype=torch.float64) if centred else torch.zeros(0)
    relate = kernel(moved(points, middle) if centred else points)

    plain = scale == 1 and working == result

    def block(rows: Tensor, out: Tensor | None) -> Tensor:
        rows = _scaled(rows, working, scale)
        found = relate(moved(rows, middle) if centred else rows, out if plain else None)
        if plain:
            return found
        for _ in range(degree):
            found = found * scale
        return clamped(found, result)

    if whole or len(x) == 0:
        return block(x, None)
    widening = max(1, working.itemsize // x.element_size())
    memory = _CACHED if x.device.type == "cpu" else settings.MEMORY
    most = rows_per_block(widening * (x.shape[1] + len(anchors)), itemsize=x.element_size(), memory=memory)
    return _in_blocks(block, x, x.new_empty(len(x), len(anchors), dtype=result), most, points.requires_grad)


def _in_blocks(relate: Relate, x: Tensor, found: Tensor, most: int, learned: bool) -> Tensor:
    """`found`, filled by blocks of at most so many rows, each written at its place where no gradient has to pass."""
    size = -(-len(x) // -(-len(x) // most))  # alike, as a small last block would cost as much as a large one
    for start in range(0, len(x), size):
        rows, place = x[start : start + size], found[start : start + size]
        written = relate(rows, None if learned or x.requires_grad else place)
        if written is not place:
            place.copy_(written)
    return found


def crowded(anchors: Tensor) -> bool:
    """Whether the anchors point much the same way, so that what tells them apart is in the last digits of cosines."""
    unit = torch.nn.functional.normalize(anchors.detach().float())
    return float(unit.mean(0).square().sum()) > 0.5  # the mean cosine of two of them


def cosine(anchors: Tensor) -> Relate:
    """Cosine similarities, in [-1, 1]."""
    points, lengths = _with_lengths(anchors)
    unit = points / lengths

    def relate(rows: Tensor, out: Tensor | None) -> Tensor:
        rows, norms = _with_lengths(rows)
        # Scaling the n x k product touches less memory than normalising the n x d input when k < d.
        return torch.mm(rows, unit.T, out=out).div_(norms).clamp_(-1, 1)

    return relate


def angular(anchors: Tensor) -> Relate:
    """Angles in units of pi, in [0, 1]."""
    relate = cosine(anchors)
    return lambda rows, out: relate(rows, out).arccos().div_(math.pi)


def standardised_cosine(anchors: Tensor) -> Relate:
    """Cosine similarities in the mean and standard deviation of each anchor's similarities to the other anchors."""
    relate = cosine(anchors)
    others = 1 - torch.eye(len(anchors), dtype=torch.float64, device=anchors.device)
    own, count = relate(anchors, None).double(), max(1, len(anchors) - 1)
    mean = (own * others).sum(0) / count
    deviation = ((own - mean).square() * others).sum(0).div(count).sqrt()
    varies = deviation > 16 * torch.finfo(anchors.dtype).eps
    mean, scale = mean.to(anchors.dtype), torch.where(varies, deviation, 1.0).to(anchors.dtype)
    return lambda rows, out: relate(rows, out).sub_(mean).div_(scale)


def inner(anchors: Tensor) -> Relate:
    """Inner products over the root of the width."""
    scaled = anchors / math.sqrt(anchors.shape[1])
    return lambda rows, out: torch.mm(rows, scaled.T, out=out)


def change_of_basis(anchors: Tensor, *, eps: float) -> Relate:
    """Shortest least squares coefficients, by the pseudo-inverse; `eps` is the precision of the numbers given."""
    u, strengths, vt = torch.linalg.svd(anchors, full_matrices=False)
    known = strengths > strengths[0] * max(anchors.shape) * eps
    inverse = (vt.T * torch.where(known, 1 / strengths, 0.0)) @ u.T
    return lambda rows, out: torch.mm(rows, inverse, out=out)


def measured(distance: Callable[[Tensor, Tensor], Tensor]) -> Kernel:
    """The kernel of a distance."""
    return lambda anchors: lambda rows, _: distance(rows, anchors)


def clamped(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Values in another precision, those beyond its range at the range's end."""
    limit = torch.finfo(dtype).max
    return torch.nan_to_num(x).clamp(-limit, limit).to(dtype)


def _precision(x: Tensor, anchors: Tensor, *, precise: bool) -> tuple[torch.dtype, torch.dtype, float]:
    """Precision of the result, precision to compute in, and the power of two to divide vectors by before."""
    if x.shape[1] != anchors.shape[1]:
        raise BadChoice(
            f"The samples have {x.shape[1]} features, the anchors {anchors.shape[1]}.",
            "Take both from one space.",
        )
    if anchors.numel() == 0:
        raise BadChoice("There are no anchors, or they have no features.", "Choose at least 1 anchor.")
    largest = max(checked(x, "samples"), checked(anchors, "anchors"))
    result = torch.promote_types(torch.promote_types(x.dtype, anchors.dtype), torch.float32)
    low = torch.finfo(result).tiny ** 0.25
    if largest == 0 or low < largest < 1 / low:
        return result, torch.float64 if precise else result, 1.0
    if result == torch.float32:
        return result, torch.float64, 1.0
    return result, result, 2.0 ** max(-1021, math.frexp(largest)[1] - 1)


def _scaled(x: Tensor, working: torch.dtype, scale: float) -> Tensor:
    return x.to(working) if scale == 1 else x.to(working) / scale


def _with_lengths(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows, and their lengths in a column, above 0; rows too short to be squared are made longer first."""
    lengths, tiny = x.norm(dim=1, keepdim=True), torch.finfo(x.dtype).tiny
    if len(x) and float(lengths.detach().min()) < tiny**0.25:
        x = x / x.abs().amax(1, keepdim=True).clamp_min(tiny)
        lengths = x.norm(dim=1, keepdim=True)
    return x, lengths.clamp_min(tiny)
