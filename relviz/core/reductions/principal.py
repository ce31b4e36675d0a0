"""Principal components, in closed form: the first picture, from which all other reductions start."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.reductions.entry import REDUCTIONS, Reduction


def pca(
    x: Float[Tensor, "n d"], dimensions: int = 2, *, others: Float[Tensor, "k d"] | None = None
) -> Float[Tensor, "_ m"]:
    """The leading principal components; a narrower space is padded with zeros. Signs are fixed, so equal spaces give
    equal views. Values are finite, of any size.

    Parameters
    ----------
    dimensions: m, how many.
    others: points that are placed on the components of `x`; their places come after those of `x`.

    Raises nothing for finite values.

    >>> x = torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 6.0, 0.0]])
    >>> pca(x)[:, 0].tolist(), pca(x, others=x[:1])[:, 0].tolist()
    ([-3.0, 0.0, 3.0], [-3.0, 0.0, 3.0, -3.0])
    """
    middle = x.mean(0, dtype=torch.float64)
    pad = (0, max(0, dimensions - x.shape[1]))
    centred = torch.nn.functional.pad(x.double() - middle, pad)
    vectors = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -dimensions:].flip(1)
    axes = vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    view = centred @ axes
    if others is not None:
        view = torch.cat([view, torch.nn.functional.pad(others.double() - middle, pad) @ axes])
    return view.to(x.dtype)


REDUCTIONS["pca"] = Reduction(
    label="PCA",
    function=pca,
    summary="the two leading principal components",
    source="Pearson 1901",
)


def varies(x: Float[Tensor, "n d"]) -> bool:
    """Whether not all rows are equal. Where they are, every view is one point.

    Raises nothing.

    >>> varies(torch.tensor([[1.0, 2.0], [1.0, 2.0]])), varies(torch.tensor([[1.0, 2.0], [1.0, 3.0]]))
    (False, True)
    """
    return bool((x != x[:1]).any())
