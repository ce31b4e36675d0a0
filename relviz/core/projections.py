"""Projections: from an absolute to a relative space, given anchors."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def cosine(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Cosine similarity of every sample to every anchor, in [-1, 1].

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` (both sides minus
    the anchors' mean) to translation as well. A zero vector has similarity 0 to everything.
    Source: 2209.15430, section 3; centring on the anchors as in latentis.

    Parameters
    ----------
    x: absolute vectors.
    anchors: absolute vectors of the anchors, in the same space.

    >>> x = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> cosine(x, x).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if centred:
        mean = anchors.mean(0)
        x, anchors = x - mean, anchors - mean
    tiny = torch.finfo(x.dtype).tiny
    unit_anchors = anchors / anchors.norm(dim=1, keepdim=True).clamp_min(tiny)
    # Scaling the n x k product touches less memory than normalising the n x d input when k < d.
    return (x @ unit_anchors.T).div_(x.norm(dim=1, keepdim=True).clamp_min(tiny)).clamp_(-1, 1)


def layer_norm(x: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Post-normalisation: every row with mean 0 and variance 1; a constant row becomes zeros.

    What relative coordinates go through before a head reads them, as in every trained model of 2209.15430. It takes out
    the offset and spread that differ between encoders: a network that ends in averages of rectified values has all its
    cosines near 1.

    >>> layer_norm(torch.tensor([[1.0, 3.0], [2.0, 2.0]])).round().tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    return torch.nn.functional.layer_norm(x, x.shape[1:])
