"""Graph networks: they read the features of all nodes and the edges between them at once.

Each offers `encode`, which gives the latent vectors `n x d`; nothing lies between these and the linear head.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import log
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, relu


class Messages(NamedTuple):
    """What goes along the edges of a graph: to nodes, of nodes, with weights."""

    to: Tensor
    of: Tensor
    weights: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """For each node the weighted sum of the rows `n x d` that come to it."""
        sent = x.index_select(0, self.of) * self.weights.unsqueeze(1)
        return torch.zeros_like(x).index_add(0, self.to, sent)


class GraphNetwork(nn.Module):
    """Layers that pass messages along edges, then a linear head."""

    head: nn.Linear

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def messages(self, edges: Tensor, n: int) -> Messages:
        """What a layer carries along the edges."""
        return normalised_adjacency(edges, n)

    def encode(self, features: Tensor, edges: Tensor) -> Tensor:
        """Latent vectors, `n x d`.

        Parameters
        ----------
        features: of the nodes, `n x f`.
        edges: int64 `m x 2`, each undirected edge once.
        """
        features = features / features.sum(1, keepdim=True).clamp_min(1e-12)
        return self.passed(features, self.messages(edges, len(features)))

    def passed(self, features: Tensor, messages: Messages) -> Tensor:
        """Latent vectors of row-normalised features."""
        raise NotImplementedError

    def forward(self, features: Tensor, edges: Tensor) -> Tensor:
        """Class scores, `n x c`."""
        return self.head(self.encode(features, edges))

    def groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """The parameters with their weight decay, as optimisers take them."""
        return [{"params": list(self.parameters()), "weight_decay": weight_decay}]

    def dropped(self, x: Tensor) -> Tensor:
        """With some values set to zero while it is trained."""
        return dropout(x, self.rate, self.training)


class GCN(GraphNetwork):
    """Graph convolutions (1609.02907); the last one's messages come before its weights, which then are the head."""

    def __init__(self, features: int, width: int, classes: int, layers: int, rate: float) -> None:
        super().__init__(rate)
        widths = [features, *[width] * (layers - 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(width, classes)
        _glorot(self)

    def passed(self, features: Tensor, messages: Messages) -> Tensor:
        """As `GraphNetwork`."""
        x = self.dropped(features)
        for layer in self.layers:
            x = self.dropped(relu(messages(layer(x))))
        return messages(x)


class GCNII(GraphNetwork):
    """Deep graph convolutions that keep coming back to the first layer's vectors (2007.02133)."""

    alpha, theta = 0.1, 0.5

    def __init__(self, features: int, width: int, classes: int, layers: int, rate: float) -> None:
        super().__init__(rate)
        self.first = nn.Linear(features, width)
        self.layers = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.head = nn.Linear(width, classes)

    def passed(self, features: Tensor, messages: Messages) -> Tensor:
        """As `GraphNetwork`."""
        x = begun = relu(self.first(self.dropped(features)))
        for depth, layer in enumerate(self.layers, 1):
            beta = log(self.theta / depth + 1)
            mixed = (1 - self.alpha) * messages(self.dropped(x)) + self.alpha * begun
            x = relu((1 - beta) * mixed + beta * layer(mixed))
        return self.dropped(x)

    def groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """As `GraphNetwork`; the paper's decay is 0.01 in the layers and 5e-4 before and after them."""
        outer = [*self.first.parameters(), *self.head.parameters()]
        return [
            {"params": list(self.layers.parameters()), "weight_decay": 20 * weight_decay},
            {"params": outer, "weight_decay": weight_decay},
        ]


class GIN(GraphNetwork):
    """Sums over neighbours, each followed by a small perceptron (1810.00826)."""

    def __init__(self, features: int, width: int, classes: int, layers: int, rate: float) -> None:
        super().__init__(rate)
        widths = [features, *[width] * layers]
        self.layers = nn.ModuleList(_perceptron(a, b) for a, b in pairwise(widths))
        self.own = nn.Parameter(torch.zeros(layers))
        self.head = nn.Linear(width, classes)

    def messages(self, edges: Tensor, n: int) -> Messages:
        """The bare edges."""
        return adjacency(edges, n)

    def passed(self, features: Tensor, messages: Messages) -> Tensor:
        """As `GraphNetwork`."""
        x = features
        for own, layer in zip(self.own, self.layers, strict=True):
            x = self.dropped(x)
            x = layer((1 + own) * x + messages(x))
        return self.dropped(x)


def adjacency(edges: Tensor, n: int, *, loops: bool = False) -> Messages:
    """Each edge in both directions with weight 1, and from every node to itself where there are loops.

    >>> adjacency(torch.tensor([[0, 1]]), 3)(torch.tensor([[1.0], [2.0], [4.0]])).tolist()
    [[2.0], [1.0], [0.0]]
    """
    both = torch.cat([edges, edges.flip(1)])
    if loops:
        both = torch.cat([both, torch.arange(n, device=edges.device).unsqueeze(1).expand(n, 2)])
    return Messages(both[:, 0], both[:, 1], torch.ones(len(both), device=edges.device))


def normalised_adjacency(edges: Tensor, n: int) -> Messages:
    """The adjacency with loops, divided by the square roots of both nodes' degrees (1609.02907).

    >>> normalised_adjacency(torch.tensor([[0, 1]]), 3)(torch.tensor([[1.0], [2.0], [4.0]])).tolist()
    [[1.5], [1.5], [4.0]]
    """
    plain = adjacency(edges, n, loops=True)
    degrees = plain(plain.weights.new_ones(n, 1)).squeeze(1)
    return Messages(plain.to, plain.of, (degrees[plain.to] * degrees[plain.of]).rsqrt())


def _perceptron(width_in: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
    )


def _glorot(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


GRAPH_NETWORKS: dict[str, Callable[[int, int, int, int, float], GraphNetwork]] = {
    "gcn": GCN,
    "gcnii": GCNII,
    "gin": GIN,
}
