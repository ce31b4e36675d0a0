"""A network that encodes samples, on one device."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from relviz.data.dataset import DataSet
from relviz.models.axes import channel_axes
from relviz.models.nodes import layers, look, vectors
from relviz.models.preprocessing import Reads
from relviz.models.watching import first_tensor

_FEW = 3  # samples that axes are looked for with


class NetworkEncoder:
    """A network, how it reads samples, its latent node, and the axes of channels that it was found to have."""

    def __init__(self, network: nn.Module, reads: Reads, node: str, axes: dict[str, int | None] | None = None) -> None:
        self.network, self.reads, self.node = network, reads, node
        self._axes = {} if axes is None else axes

    def encode(self, data: DataSet, rows: slice) -> Tensor:
        """Latent vectors of these samples, `b x d`, where the network is."""
        return self.encode_nodes(data, rows, [self.node])[0]

    def encode_nodes(self, data: DataSet, rows: slice, nodes: Sequence[str]) -> list[Tensor]:
        """Vectors of these samples at several nodes, from one run of the network.

        Raises
        ------
        UnknownName, BadChoice: no such node, or no vectors pass it.
        """
        found = self.at_nodes(self.reads.inputs(data, rows), nodes)
        return [seen[rows] for seen in found] if self.reads.modality == "graph" else found

    def at_nodes(self, inputs: tuple[Tensor, ...], nodes: Sequence[str]) -> list[Tensor]:
        """The same for inputs as the network is called with."""
        moved, mask = self._moved(inputs)
        with torch.inference_mode():
            passed = look(self.network, moved, nodes)
        axes = [self.axis(node, seen, inputs) for node, seen in zip(nodes, passed, strict=True)]
        with torch.inference_mode():
            found = zip(passed, nodes, axes, strict=True)
            return [vectors(seen, node, axis, mask).float() for seen, node, axis in found]

    def passed(self, inputs: tuple[Tensor, ...]) -> Tensor | None:
        """What passes the latent node before vectors are made of it."""
        with torch.inference_mode():
            return first_tensor(look(self.network, self._moved(inputs)[0], [self.node])[0])

    def axis(self, node: str, passed: Any, inputs: tuple[Tensor, ...]) -> int | None:
        """The axis of channels of what passed a node, where it matters and the network tells."""
        tensor = first_tensor(passed)
        return None if tensor is None or tensor.ndim < 3 else self.axes(inputs).get(node)

    def axes(self, inputs: tuple[Tensor, ...]) -> dict[str, int | None]:
        """The axes of channels at every node, found at the first question from a few such inputs."""
        if not self._axes:
            few = self._moved(inputs if self.reads.modality == "graph" else tuple(part[:_FEW] for part in inputs))[0]
            with torch.inference_mode():
                self._axes.update(channel_axes(self.network, few))
        return self._axes

    def layers(self, data: DataSet) -> dict[str, int]:
        """Nodes of the network's layers when it reads such data, see `relviz.models.nodes.layers`, and their widths."""
        axes = self.axes(self.reads.inputs(data, slice(0, _FEW)))
        inputs, mask = self._moved(self.reads.inputs(data, slice(0, _FEW - 1)))  # other rows tell their axis
        with torch.inference_mode():
            return layers(self.network, inputs, axes, mask)

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstructed samples of latent vectors."""
        decoder: Any = self.network
        with torch.inference_mode():
            return decoder.decode(latent)

    @property
    def nbytes(self) -> int:
        """Memory that its weights take."""
        return sum(weights.nbytes for weights in self.network.state_dict().values())

    def to(self, where: torch.device) -> NetworkEncoder:
        """It on a device: itself where it is there already, else a copy."""
        if where == self._where():
            return self
        return NetworkEncoder(copy.deepcopy(self.network).to(where), self.reads, self.node, self._axes)

    def _moved(self, inputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Inputs where the network is, and of texts the mask among them."""
        moved = tuple(part.to(self._where()) for part in inputs)
        return moved, moved[1] if self.reads.modality == "text" else None

    def _where(self) -> torch.device:
        return next(iter(self.network.state_dict().values())).device
