"""The maps that translations fit between anchors which are in their frames already.

Each takes the anchors of both spaces, `k x d` and `k x e` in float64, and what is known of their digits, and gives a
matrix `d x e` and a bias `e`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.rounding import lost
from relviz.core.translations.frames import centred

_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Digits:
    """What is known of the digits of anchors.

    Attributes
    ----------
    precision: that they came in.
    eps: of float32 where it holds every value of the source anchors, else of float64.
    noise: variance that rounding to float32 gives each feature of the source anchors in their frame.
    """

    precision: torch.dtype
    eps: float
    noise: Float[Tensor, "d"]


TranslationMap: TypeAlias = Callable[[Tensor, Tensor, Digits], tuple[Tensor, Tensor]]


def with_bias(x: Tensor, y: Tensor, digits: Digits, *, core: TranslationMap) -> tuple[Tensor, Tensor]:
    """A map between the anchors once they are centred, and the bias that follows."""
    (mean_x, x), (mean_y, y) = centred(x), centred(y)
    matrix, _ = core(x, y, digits)
    return matrix, mean_y - mean_x @ matrix


def linear_map(x: Tensor, y: Tensor, digits: Digits) -> tuple[Tensor, Tensor]:
    """Least squares."""
    return least_squares(x, y, digits)[0], torch.zeros_like(y[0])


def least_squares(x: Tensor, y: Tensor, digits: Digits) -> tuple[Tensor, int]:
    """The matrix of least norm among those that minimise |X T - Y|, and the rank of X.

    Directions of X that hold no more than rounding count as empty; dividing by them would blow up noise. Those are all
    below max(k, d) eps of the widest of the centred X, and all that rounding the anchors fills. QR where X has full
    rank for certain, else singular values, because CUDA's least squares knows full rank only.
    """
    eps, noise = digits.eps, digits.noise
    size, spread = max(x.shape), x - x.mean(0)
    if len(x) >= x.shape[1]:
        q, r = torch.linalg.qr(x)
        inverse = torch.linalg.solve_triangular(r, torch.eye(len(r), dtype=r.dtype, device=r.device), upper=True)
        anywhere = lost(torch.ones_like(noise)[:, None], noise, n=len(x)).sqrt()
        bounds = torch.cat([torch.stack([_EPS * size * r.norm(), eps * size * spread.norm()]), anywhere])
        if bool((inverse.norm() * bounds < 1).all()):  # its norm is above 1 / the least singular value, or NaN
            return inverse @ (q.T @ y), len(r)
    u, strengths, vt = torch.linalg.svd(x, full_matrices=False)
    cut = torch.maximum(_EPS * size * strengths[0], eps * size * torch.linalg.matrix_norm(spread, 2))
    known = strengths > torch.maximum(cut, lost(vt.T, noise, n=len(x)).sqrt())
    return vt[known].T @ ((u[:, known].T @ y) / strengths[known, None]), int(known.sum())
