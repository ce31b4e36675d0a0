"""Heads: latent vectors in, class scores out.

Every head is fitted by fit(x, labels, *, classes, **options) and read by scores(x) and accuracy(x, labels). A new one
is one function and one entry in `HEADS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relviz.core.fitting import seeded, train
from relviz.core.registry import Entry, Option
from relviz.core.values import finite
from relviz.errors import BadChoice

_BLOCK = 8192  # rows per product
_COLUMNS = 512  # of one side of a product that is symmetric as a whole
_TINY = torch.finfo(torch.float64).tiny
_NEVER = -1e30  # the score of a class without samples: below all others, and still finite in float32


@dataclass(frozen=True)
class LinearHead:
    """Scores = x W + b, in float64.

    Attributes
    ----------
    weight: W, `d x c`.
    bias: b, `c`.
    """

    weight: Float[Tensor, "d c"]
    bias: Float[Tensor, "c"]

    @property
    def width(self) -> int:
        """Width d of the vectors it reads."""
        return self.weight.shape[0]

    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""
        return finite(x.double() @ self.weight.double() + self.bias.double(), "scores")

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return share_right(self.scores(x), labels)


def share_right(scores: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> float:
    """Share of rows whose best score is at their label, in [0, 1]; 0 without rows. Ties go to the first class.

    >>> share_right(torch.eye(2), torch.tensor([0, 0]))
    0.5
    """
    return float((scores.argmax(1) == labels).double().mean()) if len(labels) else 0.0


def fit_ridge(x: Float[Tensor, "n d"], labels: Int[Tensor, "m"], *, classes: int, penalty: float = 1.0) -> LinearHead:
    """Ridge regression onto one-hot labels, in closed form: the default head of relative spaces.

    Why so strong a penalty: relative coordinates are highly collinear (k anchors, but only d directions), and the two
    models' coordinates differ by a little noise in every direction. A weakly penalised head puts large weights on
    directions that hardly vary; it reads its own encoder a little better and a foreign one much worse. The penalty
    counts in mean eigenvalues of the covariance, so it means the same for any number of anchors and any scale.
    `tests/usecases/test_stitching.py` shows the collapse on the bundled models, and that this default has none.

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
    """Prepares rows for many ridge heads: products in the input's precision, sums in float64. Errors as `fit_ridge`.

    >>> gallery = ridge_gallery(torch.tensor([[1.0], [0.9], [0.0], [0.1]]))
    >>> [gallery.fit(labels, classes=2).weight.shape[1] for labels in torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]])]
    [2, 2]
    """
    rows, mean, unit = centre_and_scale(x)
    return RidgeGallery(rows, mean, unit, _gram(rows))


def fit_class_means(x: Float[Tensor, "n d"], labels: Int[Tensor, "m"], *, classes: int) -> LinearHead:
    """Nearest class mean as a linear head: the live preview, one pass over the rows.

    Scores are m'x - |m|^2 / 2 around the overall mean, so that the best score is the nearest mean; a class without
    samples is never chosen. Source: Rocchio 1971. Parameters and errors as `fit_ridge`.

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


def fit_logistic(
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "m"],
    *,
    classes: int,
    penalty: float = 1e-3,
    steps: int = 100,
    tolerance: float = 1e-5,
) -> LinearHead:
    """Multinomial logistic regression by L-BFGS from zero: the reported head of absolute and relative spaces.

    Minimises mean cross-entropy + penalty / 2 |W|^2 (the bias is free) over inputs that are centred and divided by one
    scalar, the root mean square of all entries, so that it means the same at any scale and rotation. It is
    scikit-learn's LogisticRegression with C = 1 / (n penalty) on such inputs. Scores are logits.

    Parameters
    ----------
    x: vectors the head will read.
    labels: classes 0 to `classes` - 1.
    penalty: 0 or more.
    steps: of L-BFGS at most, 1 or more; fewer also regularise.
    tolerance: stops when no entry of the gradient is larger, above 0. Errors as `fit_ridge`.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_logistic(x, torch.tensor([0, 0, 1, 1]), classes=2).accuracy(x, torch.tensor([0, 0, 1, 1]))
    1.0
    """
    check_labels(labels, rows=len(x), classes=classes)
    if not (0 <= penalty < float("inf") and steps >= 1 and 0 < tolerance < float("inf")):
        raise BadChoice(f"Penalty {penalty}, {steps} steps, tolerance {tolerance} cannot be fitted.", "See the ranges.")
    rows, mean, unit = centre_and_scale(x)
    spread = float(rows.square().mean(dtype=torch.float64).sqrt()) or 1.0
    found = _minimise(rows / spread, labels.long(), classes, penalty, steps, tolerance).double()
    weight = found[:-1] / spread / unit
    return LinearHead(weight, found[-1] - mean @ weight)


def _minimise(rows: Tensor, labels: Tensor, classes: int, penalty: float, steps: int, tolerance: float) -> Tensor:
    """Weights and, last, the bias, `(d + 1) x c`; the gradient in closed form, which needs one product less."""
    with torch.inference_mode(False), torch.no_grad():
        variables = torch.zeros(rows.shape[1] + 1, classes, dtype=rows.dtype, device=rows.device)
        search = torch.optim.LBFGS([variables], 1, steps, None, tolerance, tolerance**2, line_search_fn="strong_wolfe")
        index = labels[:, None]

        def loss() -> Tensor:
            logs = torch.log_softmax(torch.addmm(variables[-1], rows, variables[:-1]), dim=1)
            value = penalty / 2 * variables[:-1].square().sum() - logs.gather(1, index).mean(dtype=torch.float64)
            excess = logs.exp_().scatter_add_(1, index, torch.full_like(logs[:, :1], -1)) / len(rows)
            variables.grad = torch.cat([rows.T @ excess + penalty * variables[:-1], excess.sum(0, keepdim=True)])
            return value

        search.step(loss)
        return variables


@dataclass(frozen=True)
class MLPHead:
    """A trained network that reads vectors; float32 inside, scores (logits) in float64. To train on, copy it first."""

    network: nn.Module

    @torch.no_grad()
    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""
        return finite(torch.cat([self.network(_for_network(part)) for part in x.split(_BLOCK)]), "scores").double()

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return share_right(self.scores(x), labels)


def mlp(width: int, classes: int, *, hidden: int = 2) -> nn.Sequential:
    """The papers' head: layer norm, `hidden` times a linear layer of the same width and SiLU, a linear layer.

    Source: 2209.15430, text experiments, without their batch norm, so that a row's scores depend on that row only.

    >>> mlp(4, 3)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """
    between = [layer for _ in range(hidden) for layer in (nn.Linear(width, width), nn.SiLU())]
    return nn.Sequential(nn.LayerNorm(width), *between, nn.Linear(width, classes))


def fit_mlp(
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "m"],
    *,
    classes: int,
    hidden: int = 2,
    epochs: int = 5,
    batch: int = 128,
    rate: float = 1e-3,
    seed: int = 0,
) -> MLPHead:
    """The papers' head, trained by Adam on cross-entropy; equal seeds give equal heads on one machine.

    Source: 2209.15430, text experiments (there batch 32, 3 to 5 epochs, rate 1e-3 or 1e-4).

    Parameters
    ----------
    x: vectors the head will read; the layer norm takes out offset and spread of each row.
    labels: classes 0 to `classes` - 1.
    hidden: layers of the width of `x`, 0 or more.
    epochs, batch, rate: 0 or more passes, rows per step (1 or more), learning rate (above 0).
    seed: of start and order, 0 or more. Errors as `fit_logistic`.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_mlp(x, torch.tensor([0, 0, 1, 1]), classes=2, epochs=50).accuracy(x, torch.tensor([0, 0, 1, 1]))
    1.0
    """
    check_labels(labels, rows=len(x), classes=classes)
    if hidden < 0:
        raise BadChoice(f"{hidden} hidden layers cannot be built.", "Choose 0 or more.")
    rows = _for_network(finite(x, "vectors"))
    network = seeded(lambda: mlp(x.shape[1], classes, hidden=hidden), seed=seed).to(x.device)
    steps = epochs * math.ceil(len(x) / max(1, batch))
    train(network, list(network.parameters()), rows, labels, steps=steps, batch=batch, rate=rate, seed=seed)
    return MLPHead(network)


def check_labels(labels: Int[Tensor, "m"], *, rows: int, classes: int) -> None:
    """Refuses labels that do not fit the rows, or lie outside 0 to `classes` - 1.

    >>> check_labels(torch.tensor([0, 1]), rows=2, classes=2)
    """
    if rows < 1 or len(labels) != rows:
        raise BadChoice(f"There are {rows} rows and {len(labels)} labels.", "Give one label for each of 1 row or more.")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise BadChoice(f"The labels {low} to {high} are not all in 0 to {classes - 1}.", "Number the classes from 0.")


def centre_and_scale(x: Float[Tensor, "n d"]) -> tuple[Tensor, Tensor, float]:
    """Rows minus their mean, over a power of two near their largest entry (no product leaves float32); mean; power.

    >>> centre_and_scale(torch.tensor([[0.0], [8.0]]))[2]
    8.0
    """
    if not len(x):
        raise BadChoice("There are 0 rows to fit on.", "Give at least one.")
    x = finite(x if x.dtype in (torch.float32, torch.float64) else x.float(), "vectors")
    mean = x.mean(0, dtype=torch.float64).to(x.dtype)
    rows = x - mean
    largest = float(rows.abs().amax()) if rows.numel() else 0.0
    unit = 2.0 ** min(126, max(-126, math.frexp(largest)[1])) if largest else 1.0
    return rows / unit, mean.double(), unit


def _gram(rows: Tensor) -> Tensor:
    """Products of all columns with each other, in float64; of two blocks of columns once, for they are symmetric."""
    gram = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64, device=rows.device)
    for part in rows.split(_BLOCK):
        for start in range(0, len(gram), _COLUMNS):
            gram[start : start + _COLUMNS, start:] += part[:, start : start + _COLUMNS].T @ part[:, start:]
    return gram.triu() + gram.triu(1).T


def _for_network(x: Tensor) -> Tensor:
    """Rows in float32, those of huge entries shrunk, which a layer norm does not notice but its squares do."""
    x = x if x.dtype == torch.float64 else x.float()
    return (x / (x.abs().amax(1, keepdim=True) / 1e15).clamp_min(1)).float()


def _class_sums(rows: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Sum of each class's rows, `c x d`, and share of each class; a product, so that a GPU repeats itself."""
    sums = torch.zeros(classes, rows.shape[1], dtype=torch.float64, device=rows.device)
    for part, own in zip(rows.split(_BLOCK), labels.split(_BLOCK), strict=True):
        sums += nn.functional.one_hot(own.long(), classes).to(part.dtype).T @ part
    return sums, torch.bincount(labels, minlength=classes).double() / len(labels)


@dataclass(frozen=True, kw_only=True)
class HeadEntry(Entry[Callable[..., LinearHead | MLPHead]]):
    """One registered head: function(x, labels, *, classes, **options); `invariances` are those of its decisions."""


_CLOUD = frozenset({"isotropic scale", "orthogonal", "translation", "permutation"})
_RIDGE = (Option("penalty", 1.0, "in mean eigenvalues of the covariance", low=1e-3, high=100.0),)
_LOGISTIC = (
    Option("penalty", 1e-3, "of the squared weights", low=0.0, high=10.0),
    Option("steps", 100, "of the search at most", low=1.0, high=1000.0),
)
_MLP = (
    Option("hidden", 2, "hidden layers", low=0.0, high=4.0),
    Option("epochs", 5, "passes over the gallery", low=0.0, high=100.0),
    Option("batch", 128, "rows per step", low=1.0, high=4096.0),
    Option("rate", 1e-3, "learning rate", low=1e-6, high=1.0),
    Option("seed", 0, "seed of start and order", low=0.0),
)

# fmt: off
HEADS: dict[str, HeadEntry] = {
    "ridge": HeadEntry(
        label="Ridge", function=fit_ridge, summary="least squares onto classes with a strong penalty, in closed form",
        source="Hoerl and Kennard 1970", invariances=_CLOUD, options=_RIDGE,
    ),
    "logistic": HeadEntry(
        label="Logistic", function=fit_logistic, summary="multinomial logistic regression",
        source="Cox 1958", invariances=_CLOUD, options=_LOGISTIC,
    ),
    "class-means": HeadEntry(
        label="Class means", function=fit_class_means, summary="the nearest class mean, quick enough for a preview",
        source="Rocchio 1971", invariances=_CLOUD,
    ),
    "mlp": HeadEntry(
        label="MLP", function=fit_mlp, summary="the papers' network: layer norm, hidden layers with SiLU",
        source="2209.15430", options=_MLP,
    ),
}
# fmt: on
