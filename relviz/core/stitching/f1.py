"""F1 of predictions."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor


def weighted_f1(predicted: Int[Tensor, "n"], labels: Int[Tensor, "n"]) -> float:
    """F1 score of each class, averaged with the classes' numbers of samples as weights, in [0, 1]; 0 without rows.

    As scikit-learn's `f1_score` with `average="weighted"`.

    Raises nothing beyond shape mismatches.

    >>> weighted_f1(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    0.6666666666666666
    """
    if len(labels) == 0:
        return 0.0
    classes = int(torch.maximum(predicted.max(), labels.max())) + 1
    right = labels[predicted == labels].bincount(minlength=classes).double()
    said, there = (x.bincount(minlength=classes).double() for x in (predicted, labels))
    return float((2 * right / (said + there).clamp_min(1) * there).sum() / len(labels))


def chance_f1(share: float) -> float:
    """Weighted F1 of always naming one class, whose share of the samples is given: 2 s^2 / (1 + s), in [0, 1].

    Raises nothing for a share in [0, 1].

    >>> labels = torch.tensor([0, 0, 0, 1])
    >>> round(chance_f1(0.75), 4), round(weighted_f1(torch.zeros_like(labels), labels), 4)
    (0.6429, 0.6429)
    """
    return 2 * share**2 / (1 + share)
