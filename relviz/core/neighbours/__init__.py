"""Exact nearest neighbours, in blocks of rows so that no n x n matrix is ever held.

Lists and ranks are those of float64 arithmetic. Products in the type of the rows find the candidates; whatever these
leave open within the bound of their rounding is ranked again in float64.

The rule for ties, here and in `relviz.core.measures`: scores that float64 cannot tell apart (`Scores.tie`) are equal,
and of equal scores the earlier row comes first. Only the sample that asks comes before earlier rows of an equal score
if these have its own direction on the side that asks: so every row of a space is the first that the space finds for it,
copies or not, whereas a space whose rows are all alike tells no sample from another.
"""

from __future__ import annotations

from relviz.core.neighbours.best import COMPILED_FROM, Best
from relviz.core.neighbours.overlap import jaccard_index, kept_share
from relviz.core.neighbours.points import Points, Scores, directions, places, unit_rows
from relviz.core.neighbours.search import (
    nearest_among,
    nearest_by_cosine,
    nearest_by_distance,
    nearest_within,
    read_scores,
)

__all__ = [
    "COMPILED_FROM",
    "Best",
    "Points",
    "Scores",
    "directions",
    "jaccard_index",
    "kept_share",
    "nearest_among",
    "nearest_by_cosine",
    "nearest_by_distance",
    "nearest_within",
    "places",
    "read_scores",
    "unit_rows",
]
