"""Heads in closed form: ridge regression and class means."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relviz.core.heads.entry import CLOUD, HEADS, HeadEntry
from relviz.core.heads.head import BLOCK, LinearHead, centre_and_scale, check_labels
from relviz.core.registry import Option
from relviz.errors import BadChoice

_COLUMNS = 512  # of one side of a product that is symmetric as a whole
_TINY = torch.finfo(torch.float64).tiny
_NEVER = -1e30  # the score of a class without samples: below all others, and still finite in float32


def fit_ridge(x: Float[Tensor, "n d"], labels: Int[Tensor, "m"], *, classes: int, penalty: float = 1.0) -> LinearHead:
    """Ridge regression onto one-hot labels, in closed form: the default head of relative spaces.

    Why so strong a penalty: relative coordinates are highly collinear (k anchors, but only d directions), and the two
    models' coordinates differ by a little noise in every direction. A weakly penalised head puts large weights on
    directions that hardly vary; it reads its own encoder a little better and a foreign one much worse. The penalty
    counts in mean eigenvalues of the covariance, so it means the same for any number of anchors and any scale.
    `tests/usecases/test_stitching.py` shows the collapse on the bundled models, and that this default has none.
    Source: Hoerl and Kennard 1970.

    Parameters
    ----------
    x: vectors the head will read.
    labels: classes 0 to `classes` - 1.
    penalty: in mean eigenvalues of the covariance of `x`, above 0.

    Raises
    ------
    BadChoice: no rows, values that are not finite, labels or a penalty out of range.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_ridge(x, torch.tensor([0, 0, 1, 1]), classes=2).scores(x).argmax(1).tolist()
    [0, 0, 1, 1]
    """
    return ridge_gallery(x).fit(labels, classes=classes, penalty=penalty)


HEADS["ridge"] = HeadEntry(
    label="Ridge",
    function=fit_ridge,
    summary="least squares onto classes with a strong penalty, in closed form",
    source="Hoerl and Kennard 1970",
    invariances=CLOUD,
    options=(Option("penalty", 1.0, "in mean eigenvalues of the covariance", low=1e-3, high=100.0),),
)


@dataclass(frozen=True, eq=False)
class RidgeGallery:
    """Rows on which many ridge heads are fitted: their Gram matrix once, a factorisation once per penalty, and `cross`
    once per set of labels where several penalties are to be tried with `solve`.

    Attributes
    ----------
    rows: the gallery, centred and divided by `unit`, `n x d`.
    mean: of the gallery, in float64.
    unit: a power of two near the largest centred entry, so that no product leaves float32.
    gram: rows' rows, `d x d`, in float64.
    """

    rows: Float[Tensor, "n d"]
    mean: Float[Tensor, "d"]
    unit: float
    gram: Float[Tensor, "d d"]
    _factors: dict[float, Tensor] = field(default_factory=dict, repr=False)

    def fit(self, labels: Int[Tensor, "m"], *, classes: int, penalty: float = 1.0) -> LinearHead:
        """A ridge head for one set of labels; parameters, errors and result as `fit_ridge`."""
        return self.solve(*self.cross(labels, classes=classes), penalty=penalty)

    def cross(self, labels: Int[Tensor, "m"], *, classes: int) -> tuple[Tensor, Tensor]:
        """Products `d x c` of the rows with the centred one-hot labels, and the share of each class."""
        check_labels(labels, rows=len(self.rows), classes=classes)
        sums, shares = _class_sums(self.rows, labels, classes)
        return sums.T - sums.sum(0)[:, None] * shares, shares

    def solve(self, cross: Float[Tensor, "d c"], shares: Float[Tensor, "c"], *, penalty: float) -> LinearHead:
        """The head that belongs to products from `cross`."""
        if not 0 < penalty < float("inf"):
            raise BadChoice(f"The penalty {penalty} is not above 0.", "Choose 0.001 to 100 mean eigenvalues.")
        weight = torch.cholesky_solve(cross, self._factor(penalty)) / self.unit
        return LinearHead(weight, shares - self.mean @ weight)

    def _factor(self, penalty: float) -> Tensor:
        if penalty not in self._factors:
            # A penalty below rounding would leave a matrix that is not positive definite.
            shift = max(penalty, 1e-10) * self.gram.diagonal().mean().clamp_min(_TINY)
            self._factors[penalty] = torch.linalg.cholesky(self.gram + shift * torch.eye(len(self.gram)).to(self.gram))
        return self._factors[penalty]


def ridge_gallery(x: Float[Tensor, "n d"]) -> RidgeGallery:
    """Prepares rows for many ridge heads: products in the input's precision, sums in float64.

    Raises
    ------
    BadChoice: no rows, or values that are not finite.

    >>> gallery = ridge_gallery(torch.tensor([[1.0], [0.9], [0.0], [0.1]]))
    >>> [gallery.fit(labels, classes=2).weight.shape[1] for labels in torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]])]
    [2, 2]
    """
    rows, mean, unit = centre_and_scale(x)
    return RidgeGallery(rows, mean, unit, _gram(rows))


def fit_class_means(x: Float[Tensor, "n d"], labels: Int[Tensor, "m"], *, classes: int) -> LinearHead:
    """Nearest class mean as a linear head: the live preview, one pass over the rows.

    Scores are m'x - |m|^2 / 2 around the overall mean, so that the best score is the nearest mean; a class without
    samples is never chosen. Source: Rocchio 1971.

    Parameters
    ----------
    x: vectors the head will read.
    labels: classes 0 to `classes` - 1.

    Raises
    ------
    BadChoice: no rows, values that are not finite, or labels out of range.

    >>> head = fit_class_means(torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([0, 0, 1]), classes=2)
    >>> head.scores(torch.tensor([[2.0], [3.0]])).argmax(1).tolist()
    [0, 1]
    """
    check_labels(labels, rows=len(x), classes=classes)
    rows, mean, unit = centre_and_scale(x)
    sums, shares = _class_sums(rows, labels, classes)
    means = sums / (shares * len(x)).clamp_min(1)[:, None]
    # In units of `unit` squared: only which score is best has a meaning.
    bias = -means.square().sum(1) / 2 - (means / unit) @ mean
    return LinearHead(means.T / unit, torch.where(shares > 0, bias, _NEVER))


HEADS["class-means"] = HeadEntry(
    label="Class means",
    function=fit_class_means,
    summary="the nearest class mean, quick enough for a preview",
    source="Rocchio 1971",
    invariances=CLOUD,
)


def _gram(rows: Tensor) -> Tensor:
    """Products of all columns with each other, in float64; of two blocks of columns once, for they are symmetric."""
    gram = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64, device=rows.device)
    for part in rows.split(BLOCK):
        for start in range(0, len(gram), _COLUMNS):
            gram[start : start + _COLUMNS, start:] += part[:, start : start + _COLUMNS].T @ part[:, start:]
    return gram.triu() + gram.triu(1).T


def _class_sums(rows: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Sum of each class's rows, `c x d`, and share of each class; a product, so that a GPU repeats itself."""
    sums = torch.zeros(classes, rows.shape[1], dtype=torch.float64, device=rows.device)
    for part, own in zip(rows.split(BLOCK), labels.split(BLOCK), strict=True):
        sums += nn.functional.one_hot(own.long(), classes).to(part.dtype).T @ part
    return sums, torch.bincount(labels, minlength=classes).double() / len(labels)
