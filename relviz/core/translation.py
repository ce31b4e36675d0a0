"""Translations: direct maps from one absolute space to another, fitted on anchors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Translation:
    """y = (x - source_mean) matrix + target_mean, in float64.

    Attributes
    ----------
    matrix: `d x e`.
    """

    source_mean: Float[Tensor, d]
    matrix: Float[Tensor, "d e"]
    target_mean: Float[Tensor, e]

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """Vectors of the source space, in the target space."""
        return (x.double() - self.source_mean) @ self.matrix + self.target_mean


def ortho(source: Float[Tensor, "k d"], target: Float[Tensor, "k e"]) -> Translation:
    """Orthogonal Procrustes with isotropic scale, both spaces centred on their anchors; the narrower is zero padded.

    R = U V' from the singular value decomposition U S V' of X'Y (reflections allowed), scale = sum S / |X|^2, which
    minimises |scale X R - Y|. Where the anchors say nothing (fewer anchors than dimensions, or dead features) R is
    the orthogonal map nearest to the identity there, so that a space translated to itself comes back unchanged.
    Source: 2311.00664, `ortho` of its table of estimators; the scale because decoders read norms.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> rotation = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    >>> torch.allclose(ortho(x, 5 * x @ rotation)(x), 5 * (x @ rotation).double())
    True
    """
    mean_x, mean_y = source.mean(0, dtype=torch.float64), target.mean(0, dtype=torch.float64)
    x, y = source.double() - mean_x, target.double() - mean_y
    rotation, strengths = _procrustes(x, y)
    scale = strengths.sum() / x.square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    return Translation(mean_x, scale * rotation[: x.shape[1], : y.shape[1]], mean_y)


def _procrustes(x: Float[Tensor, "k d"], y: Float[Tensor, "k e"]) -> tuple[Tensor, Tensor]:
    """The orthogonal matrix of the wider width and the singular values of X'Y."""
    width = max(x.shape[1], y.shape[1])
    cross = torch.zeros(width, width, dtype=torch.float64)
    cross[: x.shape[1], : y.shape[1]] = x.T @ y
    u, strengths, vt = torch.linalg.svd(cross)
    rank = int((strengths > strengths[0] * width * torch.finfo(torch.float64).eps).sum())
    free_u, free_v = u[:, rank:], vt[rank:].T
    p, _, qt = torch.linalg.svd(free_u.T @ free_v)
    return u[:, :rank] @ vt[:rank] + free_u @ p @ qt @ free_v.T, strengths
