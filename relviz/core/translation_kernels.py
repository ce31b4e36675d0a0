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

from relviz.core.inverse import centred
from relviz.core.rounding import lost

_TINY, _EPS = torch.finfo(torch.float64).tiny, torch.finfo(torch.float64).eps


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
    return _least_squares(x, y, digits)[0], torch.zeros_like(y[0])


def ridge_map(x: Tensor, y: Tensor, _digits: Digits, *, penalty: float) -> tuple[Tensor, Tensor]:
    """Least squares with a penalty on the matrix."""
    gram = x.T @ x
    gram.diagonal().add_(penalty * gram.diagonal().mean().clamp_min(_TINY))
    return torch.cholesky_solve(x.T @ y, torch.linalg.cholesky(gram)), torch.zeros_like(y[0])


def ortho_map(x: Tensor, y: Tensor, _digits: Digits, *, scale: bool) -> tuple[Tensor, Tensor]:
    """Orthogonal Procrustes; all source anchors at zero leave nothing to scale, and the factor is 0."""
    rotation, strengths = _nearest_orthogonal(x.T @ y)
    factor = strengths.sum() / x.square().sum().clamp_min(_TINY) if scale else 1.0
    return factor * rotation, torch.zeros_like(y[0])


def l_ortho_map(x: Tensor, y: Tensor, digits: Digits) -> tuple[Tensor, Tensor]:
    """The orthogonal map nearest to the least-squares one."""
    matrix, rank = _least_squares(x, y, digits)
    return _nearest_orthogonal(matrix, rank)[0], torch.zeros_like(y[0])


def gradient_map(x: Tensor, y: Tensor, digits: Digits, *, steps: int, rate: float, seed: int) -> tuple[Tensor, Tensor]:
    """Least squares with a bias by Adam; a feature that is 0 at every anchor gets no say, as no step moves it."""
    huge = max(float(x.abs().amax()), float(y.abs().amax())) > 1e15  # squared errors would leave single precision
    precision = torch.float64 if huge else digits.precision
    with torch.inference_mode(False), torch.enable_grad():
        x, y = x.to(precision, copy=True), y.to(precision, copy=True)
        bound, generator = x.shape[1] ** -0.5, torch.Generator().manual_seed(seed)  # the usual start of a linear layer
        shapes = ((y.shape[1], x.shape[1]), (y.shape[1],))
        starts = [torch.empty(s, dtype=precision).uniform_(-bound, bound, generator=generator) for s in shapes]
        weight, bias = (start.to(x.device).requires_grad_() for start in starts)
        optimiser = torch.optim.Adam([weight, bias], lr=rate)
        for _ in range(steps):
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(torch.nn.functional.linear(x, weight, bias), y).backward()
            optimiser.step()
        matrix = weight.detach().T.double()
        return matrix.masked_fill((x == 0).all(0)[:, None], 0.0), bias.detach().double()


def _least_squares(x: Tensor, y: Tensor, digits: Digits) -> tuple[Tensor, int]:
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


def _nearest_orthogonal(matrix: Tensor, rank: int | None = None) -> tuple[Tensor, Tensor]:
    """U V' of a `d x e` matrix U S V' zero padded to a square, cropped again, and S.

    Beyond the rank, of which a bound may be known, the result is nearest to the identity.
    """
    d, e, width = *matrix.shape, max(matrix.shape)
    square = torch.zeros(width, width, dtype=matrix.dtype, device=matrix.device)
    square[:d, :e] = matrix
    u, strengths, vt = torch.linalg.svd(square)
    counted = int((strengths > strengths[0] * width * torch.finfo(matrix.dtype).eps).sum())
    rank = counted if rank is None else min(rank, counted)
    free_u, free_v = u[:, rank:], vt[rank:].T
    p, _, qt = torch.linalg.svd(free_u.T @ free_v)
    return (u[:, :rank] @ vt[:rank] + free_u @ p @ qt @ free_v.T)[:d, :e], strengths
