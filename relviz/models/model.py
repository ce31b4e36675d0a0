"""A model on the shelf, wherever it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from relviz import settings
from relviz.core.heads import LinearHead
from relviz.data.dataset import DataSet
from relviz.errors import BadChoice

OWN, FITTED = "its own", "fitted on the gallery"  # where a head comes from, in words


class Encoder(Protocol):
    """A model's network on one device, evaluating and frozen."""

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""

    def encode(self, data: DataSet, rows: slice) -> Tensor:
        """Latent vectors of these samples, `b x d`, where the network is."""

    def encode_nodes(self, data: DataSet, rows: slice, nodes: Sequence[str]) -> list[Tensor]:
        """Vectors of these samples at several nodes, from one run of the network."""

    def layers(self, data: DataSet) -> dict[str, int]:
        """Nodes of the network's layers when it reads such data, and the widths of their vectors; of arrays none."""

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstructed samples of latent vectors; only of a model that `decodes`."""

    def to(self, where: torch.device) -> Encoder:
        """It on a device: itself where it is there already, else a copy."""


@dataclass(frozen=True, eq=False)
class Model:
    """What is known of a model, and how to read its weights. Equal fingerprints, equal spaces.

    Attributes
    ----------
    origin: where it comes from, in words; licence: of the weights.
    modality: what it reads, as `DataSet.modality`; "any" for arrays, which only look at the samples' ids.
    width: latent width d.
    fingerprint: sha256 of weights, architecture, preprocessing and latent node.
    read_head: gives its own head; None where it has none. decodes: whether it has a decoder.
    classes: names of the classes its head was trained on, where they are known.
    why_not: why it cannot read a data set, as the end of a sentence that begins with its name, or None.
    load: gives its encoder, on the CPU.
    batch: samples that it encodes at once.
    assumed_for: what is assumed where it is asked for a data set that nothing says it belongs to, as a whole sentence,
        or None; pages offer it only for data without such a sentence.
    relative: whether its vectors are relative coordinates already, by a layer of its own.
    notes: whole sentences, each on something that is assumed about its network, its file or its head; pages and
        commands show them beside every result.
    """

    name: str
    origin: str
    licence: str
    modality: str
    width: int
    fingerprint: str
    decodes: bool
    why_not: Callable[[DataSet], str | None] = field(repr=False)
    load: Callable[[], Encoder] = field(repr=False)
    read_head: Callable[[], LinearHead] | None = field(default=None, repr=False)
    classes: tuple[str, ...] = ()
    batch: int = settings.ENCODE_BATCH
    relative: bool = False
    assumed_for: Callable[[DataSet], str | None] = field(default=lambda data: None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """What answers follow from: the fingerprint, and names of classes, which decide the order a head is read in."""
        return self.fingerprint, self.classes

    @cached_property
    def head(self) -> LinearHead | None:
        """Its own head, where it has one."""
        return None if self.read_head is None else self.read_head()

    def notes_for(self, data: DataSet) -> tuple[str, ...]:
        """Its notes, and what is assumed about this data."""
        assumed = self.assumed_for(data)
        return self.notes if assumed is None else (*self.notes, assumed)

    def check(self, data: DataSet) -> None:
        """Refuse data that the model cannot read.

        Raises
        ------
        BadChoice: it cannot; the sentence says why.
        """
        reason = self.why_not(data)
        if reason is not None:
            raise BadChoice(f"The model '{self.name}' {reason}.", "Choose another model or data set.")


def fingerprint(tensors: Mapping[str, Tensor], *choices: object) -> str:
    """sha256 of weights by name, and of what else decides a network's vectors.

    >>> fingerprint({"a": torch.ones(2)}, 1) == fingerprint({"a": torch.ones(2)}, 1)
    True
    >>> fingerprint({"a": torch.ones(2)}, 1) == fingerprint({"a": torch.ones(2)}, 2)
    False
    """
    digest = hashlib.sha256(repr(choices).encode())
    for name, tensor in tensors.items():
        digest.update(repr((name, tuple(tensor.shape), str(tensor.dtype))).encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
