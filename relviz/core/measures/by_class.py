"""A measure within each class."""

from __future__ import annotations

from jaxtyping import Int, Real
from torch import Tensor

from relviz import settings
from relviz.core.measures.measure import Measure
from relviz.core.measures.pair import Pair
from relviz.errors import BadChoice
from relviz.types import MeasureValue


def class_conditional(
    a: Real[Tensor, "n d"],
    b: Real[Tensor, "n e"],
    labels: Int[Tensor, n],
    measure: Measure,
    *,
    k: int,
    memory: int = settings.MEMORY,
) -> dict[int, MeasureValue]:
    """A measure on the samples of each class by themselves: class to value, classes in order.

    Two spaces that only agree on which class a sample has score well as wholes and badly here. A class too small for
    the measure is undefined with a reason.

    Parameters
    ----------
    k: neighbours of the retrieval measures, at least 1; only those need classes of more than k samples.

    Raises
    ------
    BadChoice: unlike numbers of rows and labels, or k below 1.

    >>> import torch
    >>> from relviz.core.measures import MEASURES
    >>> x = torch.tensor([[0.0], [1.0], [5.0], [7.0], [9.0]])
    >>> found = class_conditional(x, x, torch.tensor([3, 3, 3, 8, 8]), MEASURES["cka"], k=10)
    >>> {label: value.value for label, value in found.items()}
    {3: 1.0, 8: 1.0}
    """
    if not len(a) == len(b) == len(labels):
        counts = f"{len(a)} and {len(b)} samples and {len(labels)} labels"
        raise BadChoice(f"There are {counts}.", "Give one label to each sample of both spaces.")
    if k < 1:
        raise BadChoice(f"k = {k} is below 1.", "Choose another k.")
    classes: list[int] = labels.unique().tolist()
    return {label: _of_rows(a, b, labels == label, measure, k, memory) for label in classes}


def _of_rows(a: Tensor, b: Tensor, rows: Tensor, measure: Measure, k: int, memory: int) -> MeasureValue:
    n = int(rows.sum())
    needed = 1 + (k if measure.uses_k else 1)
    if n < needed:
        return MeasureValue.because(f"the class has {n} samples and the measure needs {needed}", n)
    return measure(Pair(a[rows], b[rows], k=min(k, n - 1), memory=memory))
