"""First and second moments of two spaces: one pass from which CKA and Procrustes follow for any n."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 8192  # rows per product


@dataclass(frozen=True)
class Moments:
    """Centred moments of spaces X (`n x d`) and Y (`n x e`), in float64.

    Attributes
    ----------
    n: samples.
    mean_x, mean_y: column means.
    xx, yy, xy: X_c'X_c, Y_c'Y_c and X_c'Y_c of the centred rows (sums, not divided by n).
    norms_xx, norms_yy, norms_xy: sums over samples of |x|^4, |y|^4 and |x|^2 |y|^2 of the centred rows;
        what the diagonal of the Gram matrices contributes, which debiasing takes out.
    """

    n: int
    mean_x: Float[Tensor, d]
    mean_y: Float[Tensor, e]
    xx: Float[Tensor, "d d"]
    yy: Float[Tensor, "e e"]
    xy: Float[Tensor, "d e"]
    norms_xx: float
    norms_yy: float
    norms_xy: float


def moments(x: Float[Tensor, "n d"], y: Float[Tensor, "n e"]) -> Moments:
    """Moments of two spaces over the same samples, blockwise: products in the input's precision, sums in float64.

    >>> m = moments(torch.eye(3), torch.eye(3))
    >>> m.xy.shape, round(float(m.xx.trace()), 6)
    (torch.Size([3, 3]), 2.0)
    """
    mean_x, mean_y = x.mean(0, dtype=torch.float64), y.mean(0, dtype=torch.float64)
    sums = [torch.zeros(a, b, dtype=torch.float64) for a, b in _shapes(x.shape[1], y.shape[1])]
    norms = torch.zeros(3, dtype=torch.float64)
    for part_x, part_y in zip(x.split(_BLOCK), y.split(_BLOCK), strict=True):
        u, v = part_x - mean_x.to(x.dtype), part_y - mean_y.to(y.dtype)
        for total, (left, right) in zip(sums, ((u, u), (v, v), (u, v)), strict=True):
            total += left.T @ right
        p, q = u.double().square().sum(1), v.double().square().sum(1)
        norms += torch.stack([p @ p, q @ q, p @ q])
    xx, yy, xy = sums
    return Moments(len(x), mean_x, mean_y, xx, yy, xy, *norms.tolist())


def _shapes(d: int, e: int) -> tuple[tuple[int, int], ...]:
    return (d, d), (e, e), (d, e)
