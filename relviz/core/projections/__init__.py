"""Projections: from an absolute to a relative space, given anchors.

Every projection takes samples (`n x d`) and anchors (`k x d`) of one space and gives `n x k`: one column per anchor, in
their order. With `centred` both are first moved so that the anchors' mean is the origin, which makes every projection
invariant to translation. A new one is one function with its entry under it, in a module of this package.

All of them refuse values that are not finite, compute half precision in single, and compute values so large or so small
that their squares leave the precision's range in double, so that no NaN or infinity comes out. Anchors need not be rows
of the samples' gallery: vectors of another data set, encoded by the same model, serve as well (out-of-domain anchors).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.options import check_options
from relviz.core.projections.entry import PROJECTIONS, Projection
from relviz.core.registry import import_modules
from relviz.errors import UnknownName

__all__ = ["PROJECTIONS", "Projection", "layer_norm", "project"]

import_modules(__name__)


def layer_norm(x: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Post-normalisation: every row with mean 0 and variance 1; a constant row becomes zeros.

    What relative coordinates go through before a head reads them. It takes out
    the offset and spread that differ between encoders: a network that ends in averages of rectified values has all its
    cosines near 1.

    Source: 2209.15430, where every trained model has it. Raises nothing: a row with a value that is not finite becomes
    NaN.

    >>> layer_norm(torch.tensor([[1.0, 3.0], [2.0, 2.0]])).round().tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    return torch.nn.functional.layer_norm(x, x.shape[1:])


def project(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k e"], *, name: str, centred: bool = False, **options: Any
) -> Float[Tensor, "n k"]:
    """Samples in the relative space of a named projection.

    Parameters
    ----------
    x, anchors: absolute vectors of one space, so d = e.
    name: a key of `PROJECTIONS`.
    centred: whether to subtract the anchors' mean from both sides first.
    options: further keywords that the projection declares.

    Raises
    ------
    UnknownName: no such projection, or no such option of it.
    BadChoice: values that are not finite, no anchors, unlike widths, or an option out of range.

    >>> project(torch.tensor([[3.0, 4.0]]), torch.eye(2), name="cosine").round(decimals=4).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    if name not in PROJECTIONS:
        raise UnknownName("projection", name, PROJECTIONS)
    entry = PROJECTIONS[name]
    check_options(entry, options)
    return entry.function(x, anchors, centred=centred, **options)
