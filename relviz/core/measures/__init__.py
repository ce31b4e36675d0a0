"""Measures: two spaces over the same samples in, one number with a stated range out.

Every measure takes a `Pair`, which computes the passes that several measures share only once. A new one is one
function with its entry under it, in a module of this package.
"""

from __future__ import annotations

from jaxtyping import Real
from torch import Tensor

from relviz import settings
from relviz.core.measures.by_class import class_conditional
from relviz.core.measures.measure import MEASURES, Measure
from relviz.core.measures.pair import Pair
from relviz.core.measures.space import Space
from relviz.core.registry import import_modules
from relviz.types import MeasureValue

__all__ = ["MEASURES", "Measure", "Pair", "Space", "class_conditional", "measure_all"]

import_modules(__name__)


def measure_all(
    a: Real[Tensor, "n d"] | Space, b: Real[Tensor, "m e"] | Space, *, k: int, memory: int = settings.MEMORY
) -> dict[str, MeasureValue]:
    """Every registered measure on one pair of spaces, sharing passes.

    Parameters
    ----------
    a, b: vectors, or `Space`s that several calls share.
    k: neighbours of the retrieval measures, 1 to n - 1.
    memory: bytes that one block of a kernel may take.

    Raises
    ------
    BadChoice: what `Pair` refuses.

    >>> import torch
    >>> sorted(measure_all(torch.eye(5), torch.eye(5), k=2)) == sorted(MEASURES)
    True
    """
    pair = Pair(a, b, k=k, memory=memory)
    return {name: measure(pair) for name, measure in MEASURES.items()}
