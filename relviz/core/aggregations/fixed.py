"""Aggregations in which nothing is learned."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from relviz.core.aggregations.entry import AGGREGATIONS, AggregationEntry
from relviz.core.aggregations.module import Aggregation, layer_norm


class Concat(Aggregation):
    """The layer-normalised spaces side by side; nothing is learned, not even a layer norm's gains as in 2310.01211.

    A linear head that reads them learns a weight for every column anyway.

    Source: 2310.01211.

    >>> import torch
    >>> Concat(2, 3)(torch.rand(5, 2, 3)).shape
    torch.Size([5, 6])
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width)
        self.out_width = count * width

    def forward(self, x: Float[Tensor, "n count k"]) -> Float[Tensor, "n w"]:
        """All spaces in one row."""
        return layer_norm(x).flatten(1)


AGGREGATIONS["concat"] = AggregationEntry(
    label="Concatenation",
    function=Concat,
    summary="all relative spaces side by side, layer-normalised without the paper's learned gains",
    source="2310.01211",
    trained=False,
)


class Sum(Aggregation):
    """The sum of the layer-normalised spaces; nothing is learned, and their order does not matter.

    The layer norms of 2310.01211 have gains of their own for each space and anchor; here all spaces count alike.

    Source: 2310.01211.

    >>> import torch
    >>> Sum(2, 3)(torch.rand(5, 2, 3)).shape
    torch.Size([5, 3])
    """

    def forward(self, x: Float[Tensor, "n count k"]) -> Float[Tensor, "n k"]:
        """All spaces added up."""
        return layer_norm(x).sum(1)


AGGREGATIONS["sum"] = AggregationEntry(
    label="Sum",
    function=Sum,
    summary="all relative spaces added up, anchor by anchor, layer-normalised without the paper's learned gains",
    source="2310.01211",
    trained=False,
)
