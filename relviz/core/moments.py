"""First and second moments of two spaces: one pass from which CKA, CCA and Procrustes follow for any n."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from relviz import settings
from relviz.core.blocks import rows_per_block
from relviz.core.rounding import centred

_FEWEST, _MOST = 256, 8192  # rows per product: the d x d sums cost too much for fewer, more round worse


@dataclass(frozen=True)
class Moments:
    """Centred moments of spaces X (`n x d`) and Y (`n x e`), in float64. Those of two sets of samples can be merged.

    Attributes
    ----------
    n: samples.
    mean_x, mean_y: column means.
    xx, yy, xy: X_c'X_c, Y_c'Y_c and X_c'Y_c of the centred rows (sums, not divided by n).
    norms_xx, norms_yy, norms_xy: sums over samples of |x|^4, |y|^4 and |x|^2 |y|^2 of the centred rows;
        what the diagonal of the Gram matrices contributes, which debiasing takes out.
    pull_xx, pull_yy, pull_xy, pull_yx: sums over samples of |x|^2 x, |y|^2 y, |x|^2 y and |y|^2 x of the centred rows;
        what the norms need to be seen from another centre.
    """

    n: int
    mean_x: Float[Tensor, "d"]
    mean_y: Float[Tensor, "e"]
    xx: Float[Tensor, "d d"]
    yy: Float[Tensor, "e e"]
    xy: Float[Tensor, "d e"]
    norms_xx: float
    norms_yy: float
    norms_xy: float
    pull_xx: Float[Tensor, "d"]
    pull_yy: Float[Tensor, "e"]
    pull_xy: Float[Tensor, "e"]
    pull_yx: Float[Tensor, "d"]


def moments(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n e"], *, precise: bool = False, memory: int = settings.MEMORY
) -> Moments:
    """Moments of two spaces over the same samples, blockwise: products in the input's precision, sums in float64.

    Products in float32 are right to about its precision relative to the largest. That serves what looks at sizes of the
    whole, as CKA; what divides by variances of thin directions, or subtracts nearly equal sums, wants precise ones.

    Parameters
    ----------
    x, y: at least one row.
    precise: whether products are in float64 whatever the input, at twice the time.
    memory: bytes that a block of rows may take.

    Raises nothing for one row or more.

    >>> m = moments(torch.eye(3), torch.eye(3))
    >>> m.xy.shape, round(float(m.xx.trace()), 6)
    (torch.Size([3, 3]), 2.0)
    """
    dtype = torch.float64 if precise else torch.promote_types(x.dtype, y.dtype)
    fit = rows_per_block(3 * (x.shape[1] + y.shape[1]), itemsize=dtype.itemsize, memory=memory)
    rows = max(_FEWEST, min(_MOST, fit))
    return merge(_of_block(u.to(dtype), v.to(dtype)) for u, v in zip(x.split(rows), y.split(rows), strict=True))


def merge(parts: Iterable[Moments]) -> Moments:
    """Moments of all samples from those of disjoint sets of them: a minibatch measure is then that of all samples.

    Parameters
    ----------
    parts: one or more.

    Raises nothing for parts of the same two widths.

    >>> x = torch.tensor([[0.0], [1.0], [5.0], [2.0]])
    >>> merged = merge([moments(x[:3], x[:3]), moments(x[3:], x[3:])])
    >>> merged.n, float(merged.mean_x), float(merged.xx)
    (4, 2.0, 14.0)
    """
    return reduce(_merge_two, parts)


def swap(m: Moments) -> Moments:
    """Moments of Y and X from those of X and Y.

    Raises nothing.

    >>> swap(moments(torch.zeros(2, 3), torch.zeros(2, 5))).xy.shape
    torch.Size([5, 3])
    """
    norms = m.norms_yy, m.norms_xx, m.norms_xy
    return Moments(m.n, m.mean_y, m.mean_x, m.yy, m.xx, m.xy.T, *norms, m.pull_yy, m.pull_xx, m.pull_yx, m.pull_xy)


def _of_block(x: Tensor, y: Tensor) -> Moments:
    mean_x, mean_y = x.mean(0, dtype=torch.float64), y.mean(0, dtype=torch.float64)
    u, v = centred(x, mean_x), centred(y, mean_y)
    p, q = u.square().sum(1), v.square().sum(1)
    norms = torch.stack([p.double() @ p.double(), q.double() @ q.double(), p.double() @ q.double()]).tolist()
    products = u.T @ u, v.T @ v, u.T @ v, p @ u, q @ v, p @ v, q @ u
    xx, yy, xy, *pulls = (product.double() for product in products)
    return Moments(len(x), mean_x, mean_y, xx, yy, xy, *norms, *pulls)


def _merge_two(a: Moments, b: Moments) -> Moments:
    n = a.n + b.n
    mean_x = a.mean_x + (b.mean_x - a.mean_x) * (b.n / n)
    mean_y = a.mean_y + (b.mean_y - a.mean_y) * (b.n / n)
    sums = (_around(part, mean_x - part.mean_x, mean_y - part.mean_y) for part in (a, b))
    return Moments(n, mean_x, mean_y, *(u + v for u, v in zip(*sums, strict=True)))


def _around(m: Moments, shift_x: Tensor, shift_y: Tensor) -> tuple[Tensor | float, ...]:
    """The sums of `Moments`, in its order, about centres moved by so much; every term linear in x or y vanishes."""
    x, y, xy, trace_x, trace_y = shift_x, shift_y, m.xy, float(m.xx.trace()), float(m.yy.trace())
    return (
        m.xx + m.n * torch.outer(x, x),
        m.yy + m.n * torch.outer(y, y),
        xy + m.n * torch.outer(x, y),
        _norms(m.norms_xx, m.xx, m.pull_xx, m.pull_xx, (trace_x, trace_x), (x, x), m.n),
        _norms(m.norms_yy, m.yy, m.pull_yy, m.pull_yy, (trace_y, trace_y), (y, y), m.n),
        _norms(m.norms_xy, xy, m.pull_xy, m.pull_yx, (trace_x, trace_y), (x, y), m.n),
        _pull(m.pull_xx, m.xx, trace_x, (x, x), m.n),
        _pull(m.pull_yy, m.yy, trace_y, (y, y), m.n),
        _pull(m.pull_xy, xy, trace_x, (x, y), m.n),
        _pull(m.pull_yx, xy.T, trace_y, (y, x), m.n),
    )


def _norms(
    norms: float,
    cross: Tensor,
    pull_uv: Tensor,
    pull_vu: Tensor,
    traces: tuple[float, float],
    shifts: tuple[Tensor, Tensor],
    n: int,
) -> float:
    """Sum of |u - s|^2 |v - t|^2 from that of |u|^2 |v|^2."""
    s, t = shifts
    ss, tt = float(s @ s), float(t @ t)
    moved = 4 * float(s @ cross @ t) - 2 * float(t @ pull_uv) - 2 * float(s @ pull_vu)
    return norms + moved + tt * traces[0] + ss * traces[1] + n * ss * tt


def _pull(pull: Tensor, cross: Tensor, trace_u: float, shifts: tuple[Tensor, Tensor], n: int) -> Tensor:
    """Sum of |u - s|^2 (v - t) from that of |u|^2 v."""
    s, t = shifts
    return pull - (trace_u + n * float(s @ s)) * t - 2 * (s @ cross)
