"""From a network and the way it reads samples to a model of the shelf."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from relviz import settings
from relviz.checkpoints.matching import fill
from relviz.core.heads import LinearHead
from relviz.errors import BadChoice, BadFile
from relviz.models.heads import linear_head, maker_of, native_head
from relviz.models.model import Model, fingerprint
from relviz.models.preprocessing import Reads
from relviz.models.trying import tried
from relviz.models.watching import OUTPUT


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


def model_of(name: str, built: Built) -> Model:
    """The model of a network that its source built: filled with its weights, tried once, and frozen.

    Raises
    ------
    BadFile: the weights are not those of the network.
    BadChoice: the network cannot read its inputs, what passes the latent node are no vectors or the input itself, or
        its classes are not those of its head.
    UnknownName: no such latent node.
    """
    network, reads = built.network.float().eval(), built.reads
    found = _filled(network, built)
    network.requires_grad_(False)
    extra = {key: tensor for key, tensor in found.items() if key not in network.state_dict()}
    trial = tried(name, network, reads, OUTPUT if extra else built.node)
    latent, node = trial.latent, trial.encoder.node
    own = native_head(trial.maker, node, latent, trial.output)
    lacks = trial.maker is not None and bool(found) and not _has(network, found, trial.maker.layer)
    head = _foreign_head(extra, latent, built) if extra else None if lacks else own
    _check_classes(name, built.classes, head)
    seen = () if trial.axis is None else (f"channels on axis {trial.axis}",)
    return Model(
        name=name,
        origin=built.origin,
        licence=built.licence,
        modality=reads.modality,
        width=latent.shape[1],
        fingerprint=fingerprint({**network.state_dict(), **extra}, str(network), reads, node, built.code, *seen),
        read_head=None if head is None else lambda: head,
        decodes=callable(getattr(network, "decode", None)),
        why_not=reads.misfit,
        load=lambda: trial.encoder,
        classes=built.classes,
        batch=_batch(reads),
        notes=(*built.notes, *trial.notes),
    )


def _filled(network: nn.Module, built: Built) -> dict[str, Tensor]:
    """Put its weights into the network, where the source has not done so."""

    def head() -> str | None:
        with torch.inference_mode(), suppress(Exception):  # a network that cannot run is told of where it is tried
            maker = maker_of(network, built.reads.example())
            return None if maker is None else maker.layer
        return None

    return fill(network, built.weights, file=built.file, head=head) if built.weights else {}


def _has(network: nn.Module, found: Mapping[str, Tensor], layer: str | None) -> bool:
    """Whether a layer's weights are among those found, perhaps by the name of another that shares them."""
    state = network.state_dict()
    places = {state[name].data_ptr() for name in found if name in state}
    return any(state[name].data_ptr() in places for name in state if name.startswith(f"{layer}."))


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
