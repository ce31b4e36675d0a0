"""From a network and the way it reads samples to a model of the shelf."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from relviz import settings
from relviz.checkpoints.matching import fill
from relviz.core.heads import LinearHead
from relviz.data.dataset import DataSet
from relviz.errors import BadChoice, BadFile, RelvizError
from relviz.models.model import Model, fingerprint
from relviz.models.nodes import OUTPUT, default_node, last_linear, layers, linear_head, look, native_head, vectors
from relviz.models.preprocessing import Pictures, Reads


@dataclass(frozen=True)
class Built:
    """A network as its source builds it.

    Attributes
    ----------
    weights: to be put into it, and `file` they come from; empty where the source did that itself.
    node: its latent node; None is the default one.
    code: what decides its vectors beside modules, weights and preprocessing, for the fingerprint.
    notes: as in `Model`.
    """

    network: nn.Module
    reads: Reads
    origin: str
    licence: str = "not stated"
    weights: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    file: Path = Path()
    node: str | None = None
    classes: tuple[str, ...] = ()
    code: str = ""
    notes: tuple[str, ...] = ()


class NetworkEncoder:
    """A network, how it reads samples, and its latent node."""

    def __init__(self, network: nn.Module, reads: Reads, node: str) -> None:
        self.network, self.reads, self.node = network, reads, node

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
            return [vectors(seen, node, mask).float() for seen, node in zip(passed, nodes, strict=True)]

    def layers(self, data: DataSet) -> dict[str, int]:
        """Nodes of the network's layers when it reads such data, see `relviz.models.nodes.layers`, and their widths."""
        with torch.inference_mode():
            return layers(self.network, *self._moved(self.reads.inputs(data, slice(0, 2))))

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
        return NetworkEncoder(copy.deepcopy(self.network).to(where), self.reads, self.node)

    def _moved(self, inputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Inputs where the network is, and of texts the mask among them."""
        moved = tuple(part.to(self._where()) for part in inputs)
        return moved, moved[1] if self.reads.modality == "text" else None

    def _where(self) -> torch.device:
        return next(iter(self.network.state_dict().values())).device


def model_of(name: str, built: Built) -> Model:
    """The model of a network that its source built: filled with its weights, tried once, and frozen.

    Raises
    ------
    BadFile: the weights are not those of the network.
    BadChoice: the network cannot read its inputs, what passes the latent node are no vectors, or its classes are not
        those of its head.
    UnknownName: no such latent node.
    """
    network, reads = built.network, built.reads
    found = fill(network, built.weights, file=built.file, head=last_linear(network)) if built.weights else {}
    network.float().eval().requires_grad_(False)
    if isinstance(reads, Pictures):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # three times faster on a CPU
    extra = {key: tensor for key, tensor in found.items() if key not in network.state_dict()}
    node = built.node or (OUTPUT if extra else default_node(network))
    encoder = NetworkEncoder(network, reads, node)
    latent, output = _tried(name, encoder)
    head = _foreign_head(extra, latent, built) if extra else _own_head(network, latent, output, found)
    _check_classes(name, built.classes, head)
    return Model(
        name=name,
        origin=built.origin,
        licence=built.licence,
        modality=reads.modality,
        width=latent.shape[1],
        fingerprint=fingerprint({**network.state_dict(), **extra}, str(network), reads, node, built.code),
        read_head=None if head is None else lambda: head,
        decodes=callable(getattr(network, "decode", None)),
        why_not=reads.misfit,
        load=lambda: encoder,
        classes=built.classes,
        batch=_batch(reads),
        notes=built.notes,
    )


def _tried(name: str, encoder: NetworkEncoder) -> tuple[Tensor, Any]:
    """Latent vectors of three made-up samples, and the network's output, None where it gives none."""
    inputs = encoder.reads.example()
    network = encoder.network
    try:
        latent = encoder.at_nodes(inputs, [encoder.node])[0]
        with torch.inference_mode():
            output = network(*inputs) if type(network).forward is not nn.Module.forward else None
    except RelvizError:
        raise
    except Exception as error:  # the network may be anybody's code
        form = " x ".join(map(str, inputs[0].shape))
        reason = " ".join(str(error).split())[:160]
        raise BadChoice(
            f"The network of '{name}' cannot read {form} ({type(error).__name__}: {reason}).",
            "Name the side and channels of its input.",
        ) from error
    if len(latent) != len(inputs[0]) or not bool(torch.isfinite(latent).all()):
        raise BadChoice(f"'{encoder.node}' of '{name}' gives no finite vector per sample.", "Name another latent node.")
    return latent, output


def _check_classes(name: str, classes: tuple[str, ...], head: LinearHead | None) -> None:
    if head is not None and classes and len(set(classes)) != head.weight.shape[1]:
        told = f"tells {head.weight.shape[1]} classes apart, and {len(set(classes))} unlike names are given"
        raise BadChoice(f"The head of '{name}' {told}.", "Name every class once, or none.")


def _batch(reads: Reads) -> int:
    """Samples at once: fewer where they are large, so that progress moves and a stop is heard."""
    if reads.modality == "text":
        return settings.ENCODE_TEXTS
    numbers = max(part[0].numel() for part in reads.example())
    return max(1, min(settings.ENCODE_BATCH, settings.ENCODE_NUMBERS // max(1, numbers)))


def _foreign_head(extra: Mapping[str, Tensor], latent: Tensor, built: Built) -> LinearHead:
    """The layer that the checkpoint has beyond the network, which then is an encoder without head."""
    weight = next(tensor for tensor in extra.values() if tensor.ndim == 2)
    if weight.shape[1] != latent.shape[1]:
        raise BadFile(f"{built.file} has '{next(iter(extra))}', which the network has not.", "Take another builder.")
    return linear_head(weight, next((tensor for tensor in extra.values() if tensor.ndim == 1), None))


def _own_head(network: nn.Module, latent: Tensor, output: Any, found: Mapping[str, Tensor]) -> LinearHead | None:
    """The network's last layer, unless its checkpoint came without it."""
    name, head = native_head(network, latent, output) or ("", None)
    return None if found and f"{name}.weight" not in found else head
