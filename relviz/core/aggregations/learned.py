"""Aggregations with parameters of their own."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from relviz.core.aggregations.entry import AGGREGATIONS, AggregationEntry
from relviz.core.aggregations.module import Normalised


class MLPSum(Normalised):
    """Each layer-normalised space through a linear layer of its own and tanh, then the sum.

    Source: 2310.01211.

    >>> MLPSum(2, 3)(torch.rand(5, 2, 3)).shape
    torch.Size([5, 3])
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(count))

    def forward(self, x: Float[Tensor, "n count k"]) -> Float[Tensor, "n k"]:
        """All spaces, bent and added up."""
        spaces = self.normalised(x).unbind(1)
        return torch.stack([torch.tanh(layer(s)) for layer, s in zip(self.layers, spaces, strict=True)]).sum(0)

    def blending(self) -> list[nn.Parameter]:
        """Weights and biases of the layers."""
        return list(self.layers.parameters())


AGGREGATIONS["mlp-sum"] = AggregationEntry(
    label="MLP and sum",
    function=MLPSum,
    summary="a small learned layer on each relative space, then the sum",
    source="2310.01211",
    trained=True,
)


class Weighted(Normalised):
    """The weighted mean of the layer-normalised spaces; the weights are a softmax and start equal.

    Source: 2310.01211.

    >>> Weighted(2, 3).weights().tolist()
    [0.5, 0.5]
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width)
        self.logits = nn.Parameter(torch.zeros(count))

    def weights(self) -> Float[Tensor, "count"]:
        """Share of each space, above 0, sum 1."""
        return self.logits.detach().softmax(0)

    def forward(self, x: Float[Tensor, "n count k"]) -> Float[Tensor, "n k"]:
        """All spaces, averaged."""
        return torch.einsum("s,nsk->nk", self.logits.softmax(0), self.normalised(x))

    def blending(self) -> list[nn.Parameter]:
        """The logarithms of the weights."""
        return [self.logits]


AGGREGATIONS["weighted"] = AggregationEntry(
    label="Weighted mean",
    function=Weighted,
    summary="one learned weight for each relative space",
    source="2310.01211",
    trained=True,
)


class Attention(Normalised):
    """Self-attention with one head over the spaces of a sample, each one token of width k; summed over tokens.

    With biases and an output map, as torch's multi-head attention has them; the key's bias, which no softmax notices,
    is left out.

    Source: 2310.01211.

    >>> Attention(2, 3)(torch.rand(5, 2, 3)).shape
    torch.Size([5, 3])
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width)
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, x: Float[Tensor, "n count k"]) -> Float[Tensor, "n k"]:
        """All spaces, each as far as the others ask for it."""
        tokens = self.normalised(x)
        # (t Q + q)(s K) = (t QK + qK) s, and sum_i sum_j a_ij (t_j V) = (sum_j (sum_i a_ij) t_j) V: two products of
        # tokens with a k x k matrix are saved, and the others run over samples instead of tokens.
        asked = tokens @ (self.query.weight.T @ self.key.weight) + self.query.bias @ self.key.weight
        attention = (asked @ tokens.transpose(1, 2) / math.sqrt(self.width)).softmax(2)
        mean = torch.einsum("ns,nsk->nk", attention.mean(1), tokens)
        return self.count * self.out(self.value(mean))

    def blending(self) -> list[nn.Parameter]:
        """Query, key and value: the "QKV" of 2310.01211."""
        return [values for layer in (self.query, self.key, self.value) for values in layer.parameters()]


AGGREGATIONS["attention"] = AggregationEntry(
    label="Self-attention",
    function=Attention,
    summary="learned weights that differ from sample to sample",
    source="2310.01211",
    trained=True,
)
