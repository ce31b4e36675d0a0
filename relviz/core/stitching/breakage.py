"""What breaks when a head reads a foreign encoder: which classes, which confusions, and how far its confidence errs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from relviz.errors import BadChoice

_STEPS = 60  # halvings of the range of temperatures, beyond float64's digits
_RANGE = 25.0  # temperatures from 2^-25 to 2^25 times the scores' spread


def confusion(predicted: Int[Tensor, "n"], labels: Int[Tensor, "m"], *, classes: int) -> Int[Tensor, "c c"]:
    """Numbers of samples by class (row) and predicted class (column); as scikit-learn's `confusion_matrix`.

    Raises
    ------
    BadChoice: unlike lengths, or a class outside 0 to `classes` - 1.

    >>> confusion(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    _check(predicted, labels, classes)
    return torch.bincount(labels.long() * classes + predicted.long(), minlength=classes**2).view(classes, classes)


def confused_pairs(counts: Int[Tensor, "c c"], *, most: int) -> list[tuple[int, int, int]]:
    """Class, what it is taken for and how often, the most frequent first; never more than `most`, none without error.

    Raises nothing.

    >>> confused_pairs(torch.tensor([[5, 2], [3, 4]]), most=5)
    [(1, 0, 3), (0, 1, 2)]
    """
    wrong = counts.clone()
    wrong.fill_diagonal_(0)
    order = wrong.flatten().argsort(descending=True, stable=True)[:most].tolist()
    found = [(at // len(counts), at % len(counts), int(wrong.flatten()[at])) for at in order]
    return [pair for pair in found if pair[2]]


def class_accuracy(counts: Int[Tensor, "c c"]) -> Float[Tensor, "c"]:
    """Share of each class's samples that are named rightly, in [0, 1], from a confusion matrix; NaN without samples.

    Raises nothing.

    >>> class_accuracy(torch.tensor([[1, 1], [0, 4]])).tolist()
    [0.5, 1.0]
    """
    return counts.diagonal().double() / counts.sum(1)


@dataclass(frozen=True)
class Reliability:
    """Confidence beside accuracy, in equal bins of confidence.

    Attributes
    ----------
    confidence, accuracy: means of each bin's samples, in [0, 1]; NaN of an empty bin.
    counts: samples in each bin.
    error: expected calibration error, in [0, 1]: the bins' |accuracy - confidence|, weighted with their samples.
    """

    confidence: Float[Tensor, "bins"]
    accuracy: Float[Tensor, "bins"]
    counts: Int[Tensor, "bins"]
    error: float


def reliability(confidence: Float[Tensor, "n"], right: Bool[Tensor, "m"], *, bins: int = 15) -> Reliability:
    """How often predictions are right that are made with a confidence. Source: Guo et al. 2017, 1706.04599.

    Parameters
    ----------
    confidence: probability of the predicted class, in [0, 1].
    right: whether the prediction is.
    bins: of equal width, each without its lower and with its upper end, but the first with both.

    Raises
    ------
    BadChoice: no samples, unlike lengths, a confidence outside [0, 1], or no bins.

    >>> round(reliability(torch.tensor([0.9, 0.9, 0.6]), torch.tensor([True, False, True]), bins=10).error, 4)
    0.4
    """
    if not len(confidence) or len(confidence) != len(right) or bins < 1:
        said = f"{len(confidence)} confidences, {len(right)} results and {bins} bins give no reliability."
        raise BadChoice(said, "Give one confidence and one result per sample, and 1 bin or more.")
    sure = confidence.double()
    if not bool(((sure >= 0) & (sure <= 1)).all()):
        raise BadChoice("A confidence is not in [0, 1].", "Give probabilities.")
    bin_of = (sure * bins).ceil().long().clamp(1, bins) - 1
    counts = bin_of.bincount(minlength=bins)
    mean, accuracy = (bin_of.bincount(x.double(), minlength=bins) / counts for x in (sure, right))
    gaps = (accuracy - mean).abs().nan_to_num() * counts
    return Reliability(mean, accuracy, counts, float(gaps.sum() / len(sure)))


def fit_temperature(scores: Float[Tensor, "n c"], labels: Int[Tensor, "m"]) -> float:
    """The temperature T > 0 at which softmax(scores / T) gives the labels the highest likelihood.

    It changes no prediction. Scores of heads that were fitted by least squares are no logarithms of odds; one number,
    found on labelled rows, brings them to the scale of such. Where all rows are right, or no better than chance, the
    best T lies at an end of the range searched, 2^-25 to 2^25 times the scores' standard deviation.
    Source: Guo et al. 2017, 1706.04599, by bisection: the likelihood is concave in 1 / T.

    Raises
    ------
    BadChoice: no rows, or labels that do not fit them.

    >>> scores = torch.tensor([[2.0, 0.0]] * 3 + [[0.0, 2.0]])
    >>> round(2 / fit_temperature(scores, torch.tensor([0, 0, 0, 0])), 4)  # 3 of 4 right: odds of 3
    1.0986
    """
    if not len(scores):
        raise BadChoice("There are no rows to fit a temperature on.", "Give at least one.")
    _check(scores.argmax(1), labels, scores.shape[1])
    spread = float(scores.double().std()) if scores.numel() > 1 else 0.0
    x = scores.double() / (spread or 1.0)
    own = x.gather(1, labels.long()[:, None]).squeeze(1)

    def rising(power: float) -> bool:  # whether a larger 1 / T is likelier still
        expected = ((x * 2.0**power).softmax(1) * x).sum(1)
        return bool((own - expected).mean() > 0)

    low, high = -_RANGE, _RANGE
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) else (low, middle)
    return (spread or 1.0) / 2.0**low


def _check(predicted: Tensor, labels: Tensor, classes: int) -> None:
    if len(predicted) != len(labels):
        raise BadChoice(
            f"There are {len(predicted)} predictions and {len(labels)} labels.", "Give one of each per sample."
        )
    for what, named in (("predictions", predicted), ("labels", labels)):
        if len(named) and not 0 <= int(named.min()) <= int(named.max()) < classes:
            raise BadChoice(f"Some {what} are not in 0 to {classes - 1}.", "Number the classes from 0.")
