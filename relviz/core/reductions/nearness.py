"""What a reduction is made of, by the metric that a user chose, and how honest its view is."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.neighbours import (
    directions,
    kept_share,
    nearest_among,
    nearest_by_cosine,
    nearest_by_distance,
    places,
    unit_rows,
)
from relviz.errors import UnknownName

METRICS = ("cosine", "euclidean")
PLACED_BY = 5  # samples whose mean place shows where a point lies that a reduction was not made of


def nearest_rows(points: Float[Tensor, "k d"], x: Float[Tensor, "n d"], metric: str) -> Int[Tensor, "k m"]:
    """The `PLACED_BY` rows of `x` nearest to each point, or all there are, nearest first.

    The mean place of these rows is where a view of `x` shows a point that it was not made of.

    Parameters
    ----------
    metric: "cosine" or "euclidean".

    Raises
    ------
    UnknownName: no such metric.

    >>> nearest_rows(torch.tensor([[1.0, 1.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]), "cosine").tolist()
    [[0, 1]]
    """
    _check_metric(metric)
    if metric == "cosine":
        return nearest_among(directions(points), directions(x), min(PLACED_BY, len(x)))
    peak = max(float(some.abs().amax()) for some in (points, x))
    return nearest_among(places(points, peak=peak), places(x, peak=peak), min(PLACED_BY, len(x)))


def neighbour_graph(x: Float[Tensor, "n d"], k: int, metric: str) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k nearest other rows of each row, nearest first, and 1 minus their distances by the metric.

    Parameters
    ----------
    metric: "cosine" or "euclidean".

    Raises
    ------
    UnknownName: no such metric.

    >>> neighbours, similarities = neighbour_graph(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), 1, "euclidean")
    >>> neighbours.tolist(), similarities.tolist()
    ([[1], [0]], [[-4.0], [-4.0]])
    """
    _check_metric(metric)
    if metric == "cosine":
        return nearest_by_cosine(x, k)
    neighbours = nearest_by_distance(x, k)
    distances = torch.stack([(x - x[column]).norm(dim=1) for column in neighbours.T], dim=1)
    return neighbours, 1 - distances


def rows_for(x: Float[Tensor, "n d"], metric: str) -> Float[Tensor, "n d"]:
    """Rows whose Euclidean neighbours are those by the metric: of length one for "cosine".

    Raises
    ------
    UnknownName: no such metric.

    >>> rows_for(torch.tensor([[3.0, 4.0]]), "cosine").norm().item()
    1.0
    """
    _check_metric(metric)
    return unit_rows(x) if metric == "cosine" else x


def kept_neighbours(x: Float[Tensor, "n d"], view: Float[Tensor, "n 2"], k: int) -> Float[Tensor, "n"]:
    """Honesty of a view: the share of each sample's k true neighbours (by cosine) that are its neighbours on the map.

    In [0, 1]; chance is k / (n - 1).

    Raises nothing for k from 1 to n - 1.

    >>> x = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> kept_neighbours(x, x, 1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return kept_share(nearest_by_cosine(x, k)[0], nearest_by_distance(view, k))


def _check_metric(metric: str) -> None:
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)
