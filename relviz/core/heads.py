"""Heads: latent vectors in, class scores out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class LinearHead:
    """Scores = x W + b, in float64.

    Attributes
    ----------
    weight: W, `d x c`.
    bias: b, `c`.
    """

    weight: Float[Tensor, "d c"]
    bias: Float[Tensor, c]

    @property
    def width(self) -> int:
        """Width d of the vectors it reads."""
        return self.weight.shape[0]

    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""
        return x.double() @ self.weight.double() + self.bias.double()

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, n]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return float((self.scores(x).argmax(1) == labels).double().mean())


def fit_ridge(x: Float[Tensor, "n d"], labels: Int[Tensor, n], *, classes: int, penalty: float = 1.0) -> LinearHead:
    """Ridge regression onto one-hot labels, in closed form: the default head of relative spaces.

    Why so strong a penalty: relative coordinates are highly collinear (k anchors, but only d directions), and the two
    models' coordinates differ by a little noise in every direction. A weakly penalised head puts large weights on
    directions that hardly vary; it reads its own encoder a little better and a foreign one much worse. The penalty
    counts in mean eigenvalues of the covariance, so it means the same for any number of anchors and any scale.
    `tests/service/test_stitching.py` shows the collapse on the bundled models, and that this default has none.

    Parameters
    ----------
    x: vectors the head will read.
    labels: classes 0 to `classes` - 1.
    penalty: in mean eigenvalues of the covariance of `x`, above 0.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_ridge(x, torch.tensor([0, 0, 1, 1]), classes=2).scores(x).argmax(1).tolist()
    [0, 0, 1, 1]
    """
    mean = x.mean(0, dtype=torch.float64)
    centred = x - mean.to(x.dtype)
    gram = (centred.T @ centred).double()
    targets = torch.nn.functional.one_hot(labels, classes).double()
    # X'(T - mean T) needs only each class's sum of rows.
    sums = torch.zeros(classes, x.shape[1], dtype=torch.float64).index_add_(0, labels, centred.double())
    cross = sums.T - centred.double().sum(0)[:, None] * targets.mean(0)
    shift = penalty * gram.diagonal().mean().clamp_min(torch.finfo(torch.float64).tiny)
    weight = torch.cholesky_solve(
        cross, torch.linalg.cholesky(gram + shift * torch.eye(len(gram), dtype=torch.float64))
    )
    return LinearHead(weight, targets.mean(0) - mean @ weight)
