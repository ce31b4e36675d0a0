"""Sums over two RBF kernel matrices, from symmetric blocks: never an n x n matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from relviz import settings

_SHIFT = math.exp(-0.5)  # a typical entry; taken out so that the sums do not cancel
_MOST = 1024  # rows of a block that stays in a processor's cache


@dataclass(frozen=True)
class KernelSums:
    """What HSIC needs of the kernel matrices K and L of n samples, all entries less one constant.

    HSIC centres both matrices, so a constant changes nothing.

    Attributes
    ----------
    entries: sums of the products of entries off the diagonal, `[[K K, K L], [L K, L L]]`.
    rows: sums of the products of row sums, diagonal left out, likewise.
    totals: sums of all entries off the diagonal of K and of L.
    diagonal: the constant entry on both diagonals.
    """

    n: int
    entries: Float[Tensor, "2 2"]
    rows: Float[Tensor, "2 2"]
    totals: Float[Tensor, 2]
    diagonal: float = 1 - _SHIFT

    def biased(self) -> Float[Tensor, "2 2"]:
        """HSIC of K and L with each other and themselves, times (n - 1)^2; the diagonal counted in."""
        n, one = self.n, self.diagonal
        totals = self.totals + n * one
        rows = self.rows + one * (self.totals[:, None] + self.totals) + n * one**2
        return self.entries + n * one**2 - 2 / n * rows + totals[:, None] * totals / n**2

    def unbiased(self) -> Float[Tensor, "2 2"]:
        """The unbiased HSIC (Song et al. 2012) of K and L with each other and themselves, times n (n - 3)."""
        n = self.n
        return self.entries - 2 / (n - 2) * self.rows + self.totals[:, None] * self.totals / ((n - 1) * (n - 2))


def kernel_sums(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n e"], square_x: float, square_y: float, *, memory: int = settings.MEMORY
) -> KernelSums:
    """Sums over the matrices exp(-|x_i - x_j|^2 / (2 square_x)) and the same of Y, each entry computed once.

    In float64: two clusters far from each other, or one sample far from all, leave float32 no digits for what is near.

    Parameters
    ----------
    square_x, square_y: squared bandwidths, above 0.
    memory: bytes that the blocks held at once may take.

    Raises nothing beyond shape mismatches.

    >>> round(float(kernel_sums(torch.eye(3), torch.eye(3), 1.0, 1.0).totals[0]), 4)  # 6 (exp(-1) - exp(-0.5))
    -1.4319
    """
    spaces = _Kernel(x, square_x), _Kernel(y, square_y)
    n, size = len(x), max(1, min(_MOST, math.isqrt(memory // (4 * torch.float64.itemsize))))
    entries, sums = x.new_zeros(2, 2, dtype=torch.float64), x.new_zeros(2, n, dtype=torch.float64)
    for start in range(0, n, size):
        for other in range(start, n, size):
            rows, columns = slice(start, start + size), slice(other, other + size)
            blocks = [kernel.block(rows, columns) for kernel in spaces]
            flat = torch.stack([block.flatten() for block in blocks])
            entries += (flat @ flat.T) * (1 if other == start else 2)
            for total, block in zip(sums, blocks, strict=True):
                total[rows] += block.sum(1)
                if other != start:
                    total[columns] += block.sum(0)
    return KernelSums(n, entries, sums @ sums.T, sums.sum(1))


class _Kernel:
    def __init__(self, x: Tensor, square: float) -> None:
        self.x, self.middle = x, x.mean(0, dtype=torch.float64)  # keeps the expansion of the distance from cancelling
        self.factor = -min(0.5 / square, 1e30)

    def block(self, rows: slice, columns: slice) -> Float[Tensor, "b c"]:
        """Kernel entries less the constant, 0 on the diagonal of the whole matrix."""
        x, y = self.x[rows].double() - self.middle, self.x[columns].double() - self.middle
        entries = torch.addmm(y.square().sum(1), x, y.T, alpha=-2).add_(x.square().sum(1, keepdim=True))
        entries.clamp_(min=0).mul_(self.factor).exp_().sub_(_SHIFT)
        return entries.fill_diagonal_(0) if rows == columns else entries
