"""How graph networks read a data set: the whole graph at once, whichever nodes are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relviz.data.dataset import DataSet, Graph


@dataclass(frozen=True)
class Nodes:
    """Graphs whose nodes have so many features.

    Attributes
    ----------
    width: number of features.
    """

    width: int
    modality = "graph"

    def misfit(self, data: DataSet) -> str | None:
        """As `Reads`."""
        if data.modality != "graph":
            return f"reads graphs, and '{data.name}' holds {data.modality} samples"
        if data.shape != (self.width,):
            return f"reads nodes of {self.width} features, and those of '{data.name}' have {data.shape[0]}"
        return None

    def inputs(self, data: DataSet, rows: slice) -> tuple[Tensor, ...]:
        """Features and edges of the whole graph, whichever rows are asked for."""
        graph: Any = data.samples
        return tensors(graph)

    def example(self) -> tuple[Tensor, ...]:
        """As `Reads`."""
        features = torch.rand(3, self.width, generator=torch.Generator().manual_seed(0))
        return features, torch.tensor([[0, 1], [1, 2]])


def tensors(graph: Graph) -> tuple[Tensor, Tensor]:
    """Features `n x f` and edges `m x 2`."""
    return torch.from_numpy(graph.features), torch.from_numpy(graph.edges)
