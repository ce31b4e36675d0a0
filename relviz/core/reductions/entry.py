"""What a reduction says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """One registered reduction: function(*given, start, **what it heeds) -> view.

    Attributes
    ----------
    label: how a page calls it.
    summary: what it does exactly.
    given: what it is made of: "rows" whose Euclidean neighbours are those by the metric (`rows_for`), or the "graph" of
        neighbours and similarities (`neighbour_graph`).
    heeds: of "neighbours", "min_dist", "metric" and "seed" those that change its view. The metric, and the neighbours
        of a graph, are in what is given; the others are keywords of `function`.
    tells: whether `function` takes a keyword `progress`, a function of the share that is done.
    """

    label: str
    function: Callable[..., Tensor]
    summary: str
    source: str
    given: str = "rows"
    heeds: frozenset[str] = frozenset()
    tells: bool = False


REDUCTIONS: dict[str, Reduction] = {}
