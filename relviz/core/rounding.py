"""What float32 does to numbers: subtraction that keeps their digits, and the noise that rounding to it leaves."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block


def centred(x: Float[Tensor, "n d"], mean: Float[Tensor, "d"]) -> Float[Tensor, "n d"]:
    """Rows less a mean in float64, as if subtracted in float64 and then rounded to the precision of the rows.

    Values are of any size. A mean rounded to float32 first would move a column at 10^7 by half a unit.

    Raises nothing beyond shape mismatches.

    >>> centred(torch.tensor([[1e7], [1e7 + 1]]), torch.tensor([1e7 + 0.5], dtype=torch.float64)).tolist()
    [[-0.5], [0.5]]
    """
    high = mean.to(x.dtype)
    return (x - high).sub_((mean - high).to(x.dtype))


def is_short(x: Float[Tensor, "n d"]) -> bool:
    """Whether float32 holds every value exactly.

    Raises nothing.

    >>> is_short(torch.tensor([[0.5]]).double()), is_short(torch.tensor([[0.1]]).double().add(1e-12))
    (True, False)
    """
    return x.dtype != torch.float64 or bool(x.float().double().equal(x))


def rounding(x: Float[Tensor, "n d"], *, memory: int = settings.MEMORY) -> Float[Tensor, "d"]:
    """Variance that rounding values to float32 gives each feature, in float64; 0 where values hold more digits.

    A twelfth of the mean squared step between float32 numbers at the values. It is the same for one set of numbers in
    float32 and in float64.

    Parameters
    ----------
    x: float32 or float64, one row or more.
    memory: bytes that a block of rows may take.

    Raises nothing for one row or more.

    >>> rounding(torch.tensor([[1.0, 2.0**23]])).mul(12).sqrt().tolist() == [2.0**-23, 1.0]
    True
    """
    total = x.new_zeros(x.shape[1], dtype=torch.float64)
    for block in x.split(rows_per_block(4 * x.shape[1], itemsize=8, memory=memory)):
        if not is_short(block):
            return torch.zeros_like(total)
        short = block.float()
        steps = torch.frexp(short).exponent.double() - 24  # a value has 24 bits
        total += torch.where(short == 0, 0.0, (2 * steps).exp2()).sum(0)
    return total / (12 * len(x))


def lost(directions: Float[Tensor, "d r"], noise: Float[Tensor, "d"], *, n: int) -> Float[Tensor, "r"]:
    """The largest sum of squares that rounding alone gives n rows along each direction, with a margin of a half.

    Uncorrelated noise does not spread evenly over directions: the largest eigenvalue of n x d of it is
    (1 + sqrt(d / n))^2 times the mean (Marchenko and Pastur 1967).

    Parameters
    ----------
    directions: orthonormal columns.
    noise: variance that rounding gives each feature.

    Raises nothing beyond shape mismatches.

    >>> lost(torch.eye(4).double(), torch.ones(4).double(), n=4).tolist()
    [24.0, 24.0, 24.0, 24.0]
    """
    return 1.5 * n * (1 + (len(noise) / n) ** 0.5) ** 2 * (noise @ directions.square())
