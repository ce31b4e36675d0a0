"""Distances between two sets of vectors."""

from __future__ import annotations

from relviz.core.distances.paths import shortest_paths
from relviz.core.distances.straight import chebyshev, euclidean, euclidean_to, manhattan

__all__ = ["chebyshev", "euclidean", "euclidean_to", "manhattan", "shortest_paths"]
