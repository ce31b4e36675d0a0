"""Whether the rows of two spaces can belong to the same samples, where nothing but their order says so."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads.closed_form import fit_class_means
from relviz.core.measures import Pair, Space
from relviz.core.measures.local import mutual_knn

Suspicion: TypeAlias = Literal["within classes", "a", "b", "both"]

_ROWS = 1000  # looked at, drawn with a fixed seed
_SHUFFLES = 20


def suspect_rows(
    a: Float[Tensor, "n d"], b: Float[Tensor, "n e"], labels: Int[Tensor, "n"] | None, *, k: int = 10
) -> Suspicion | None:
    """What speaks against row i of both spaces being one sample, or None where nothing does.

    The spaces share no more neighbours (mutual kNN) than they do when the rows of one are shuffled, 20 times. The
    shuffles stay within the classes where both spaces predict the labels. On at most 1,000 rows.

    Returns
    -------
    "within classes": both predict the labels, and yet agree on nothing more. "a" or "b": that space does not predict
    the labels and the other does. "both": neither does, or there are none.

    Raises
    ------
    BadChoice: fewer than 2 rows, or k below 1; with labels, also values that are not finite.

    >>> x = torch.randn(300, 5, generator=torch.Generator().manual_seed(0))
    >>> suspect_rows(x, 2 * x, None), suspect_rows(x, x.roll(1, 0), None)
    (None, 'both')
    """
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(a), generator=generator)[:_ROWS]
    a, b = a[rows], b[rows]
    labels = None if labels is None else labels[rows]
    told = [labels is not None and predicts(x, labels) for x in (a, b)]
    within = labels if all(told) else None
    k = min(k, len(rows) - 1)
    source = Space(a)

    def agreement(order: Tensor) -> float:
        return mutual_knn(Pair(source, b[order], k=k)).value or 0.0

    found = agreement(torch.arange(len(rows)))
    if found > max(agreement(_shuffled(len(rows), within, generator)) for _ in range(_SHUFFLES)):
        return None
    if all(told):
        return "within classes"
    return "both" if told[0] == told[1] else ("b" if told[0] else "a")


def predicts(x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> bool:
    """Whether class means of one half of the rows name the other half's classes beyond chance, by four standard errors.

    Raises
    ------
    BadChoice: fewer than 2 rows, or values that are not finite.

    >>> predicts(torch.eye(2).repeat(50, 1), torch.tensor([0, 1] * 50))
    True
    """
    half = len(x) // 2
    classes = int(labels.max()) + 1
    share = fit_class_means(x[:half], labels[:half], classes=classes).accuracy(x[half:], labels[half:])
    chance = float(labels.bincount().max()) / len(labels)
    return share > chance + 4 * (chance * (1 - chance) / (len(x) - half)) ** 0.5


def _shuffled(n: int, within: Tensor | None, generator: torch.Generator) -> Tensor:
    """An order of n rows at random; those of one class among themselves, where there are classes."""
    drawn = torch.randperm(n, generator=generator)
    if within is None:
        return drawn
    order = torch.empty_like(drawn)
    order[within.argsort(stable=True)] = drawn[within[drawn].argsort(stable=True)]
    return order
