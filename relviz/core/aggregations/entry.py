"""What an aggregation says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relviz.core.aggregations.module import Aggregation
from relviz.core.registry import Entry


@dataclass(frozen=True, kw_only=True)
class AggregationEntry(Entry[Callable[[int, int], Aggregation]]):
    """One registered aggregation: function(count, width) -> module.

    Attributes
    ----------
    trained: whether it has parameters.
    """

    trained: bool


AGGREGATIONS: dict[str, AggregationEntry] = {}
