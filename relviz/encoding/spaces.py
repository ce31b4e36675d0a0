"""Encoding: a model and a data set to an absolute space, computed once and kept on disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
from torch import Tensor

from relviz import settings
from relviz.core.anchors import select_anchors
from relviz.core.anchors.ids import check_count, explicit_anchors
from relviz.core.projections import PROJECTIONS, project
from relviz.data.dataset import DataSet
from relviz.encoding import cache
from relviz.encoding.device import in_batches, on_device
from relviz.encoding.memory import Kept
from relviz.encoding.pieces import Pieces
from relviz.errors import BadChoice, UnknownName
from relviz.models.catalogue import find
from relviz.models.model import Encoder, Model
from relviz.progress import Interruptible, Progress
from relviz.requests import Anchors
from relviz.types import options_of

_spaces: Kept[tuple[str, str], Tensor] = Kept(settings.SPACE_BYTES, lambda space: space.nbytes)
_encoders: Kept[tuple[str, torch.device], Encoder] = Kept(settings.NETWORK_BYTES, lambda encoder: encoder.nbytes)
_one_at_a_time = threading.Lock()


def fitting_model(name: str, data: DataSet) -> Model:
    """A model that can read the data.

    Raises
    ------
    UnknownName, BadChoice: no such model, or it reads other samples.
    """
    model = find(name)
    model.check(data)
    return model


def space_of(model: Model, data: DataSet, progress: Progress) -> Tensor:
    """Latent vectors of all samples, float32 `n x d`, from memory, from disk, or encoded now.

    Raises
    ------
    DamagedAsset: a bundled file is missing or damaged.
    """
    key = (model.fingerprint, data.fingerprint)
    with _one_at_a_time:  # equal encodings wait for each other, unlike ones would only fight for the same cores
        space = _spaces.get(key)
        if space is None:
            space = _stored_or_encoded(model, data, progress)
            _spaces[key] = space
        return space


def layer_spaces(model: Model, data: DataSet, progress: Progress) -> dict[str, Tensor]:
    """Vectors of the held-out rows at every layer of a model: float32 `n x d` by latent node, from input to output.

    Those that are not kept on disk come from one run of the network. Feature maps and token sequences are averaged
    over space or tokens.

    Raises
    ------
    BadChoice: the model is no network.
    """
    widths = model.load().layers(data)
    if not widths:
        raise BadChoice(f"'{model.name}' has no layers to look into.", "Choose a model with a network.")
    with _one_at_a_time:
        kept = {node: _stored_layer(model, data, node) for node in widths}
        missing = {node: width for node, width in widths.items() if kept[node] is None}
        new = _encode_layers(model, data, missing, progress) if missing else {}
    return {node: new[node] if space is None else space for node, space in kept.items()}


def encoder_of(model: Model, where: torch.device) -> Encoder:
    """A model's network on a device, kept there while networks fit `settings.NETWORK_BYTES`.

    Raises
    ------
    DamagedAsset: its weights are missing or damaged.
    """
    encoder = _encoders.get((model.fingerprint, where))
    if encoder is None:
        # Copied from the CPU's for every device: a copy taken from one that has died could not be read.
        encoder = model.load().to(where)
        _encoders[model.fingerprint, where] = encoder
    return encoder


def anchor_rows(data: DataSet, anchors: Anchors, progress: Progress) -> Tensor:
    """Gallery rows of the chosen anchors, int64 `k`.

    Raises
    ------
    UnknownName, BadChoice: no such strategy or projection; count or seed out of range; the strategy needs what there
        is not.
    """
    check_projection(anchors.projection)
    if anchors.ids:
        return named_rows(anchors, data.ids[data.gallery])
    labels = None if data.labels is None else data.label_tensor()[data.gallery]
    vectors = _vectors(anchors.source, data, progress) if anchors.source else None
    return select_anchors(
        labels,
        strategy=anchors.strategy,
        count=anchors.count,
        seed=anchors.seed,
        vectors=vectors,
        frequencies=torch.arange(data.gallery_size, 0, -1),  # lists of words begin with the most frequent
        **options_of(anchors.options, "strategy", anchors.strategy),
    )


def named_rows(anchors: Anchors, gallery: Sequence[str]) -> Tensor:
    """Gallery rows of anchors chosen by hand, given what each row is called.

    Raises
    ------
    BadChoice: an id that is not in the gallery, or fewer ids than anchors.
    """
    check_count(anchors.count, len(anchors.ids), "samples chosen by hand", seed=anchors.seed)
    return explicit_anchors(anchors.ids[: anchors.count], gallery)


def _vectors(source: str, data: DataSet, progress: Progress) -> Tensor:
    return space_of(fitting_model(source, data), data, progress)[data.gallery]


def check_projection(name: str) -> None:
    """Refuse an unknown projection, also where only some methods would use it.

    Raises
    ------
    UnknownName: no such projection.
    """
    if name not in PROJECTIONS:
        raise UnknownName("projection", name, PROJECTIONS)


def usual_strategy(data: DataSet) -> str:
    """How anchors are chosen unless told otherwise: from all classes alike, or, without labels, at random."""
    return "uniform" if data.labels is None else "class-balanced"


def relative_space(space: Tensor, data: DataSet, anchors: Anchors, rows: Tensor) -> Tensor:
    """Relative coordinates of the held-out rows, `n x k`, given the anchors' gallery rows.

    Raises
    ------
    UnknownName: no such projection.
    """
    return related(space[data.held_out], space[data.gallery][rows], anchors)


def related(x: Tensor, chosen: Tensor, anchors: Anchors) -> Tensor:
    """Relative coordinates `n x k` of vectors `n x d`, given the anchors' vectors `k x d`.

    Raises
    ------
    UnknownName: no such projection.
    """

    def projected(where: torch.device) -> Tensor:
        options = options_of(anchors.options, "projection", anchors.projection)
        return project(x.to(where), chosen.to(where), name=anchors.projection, centred=anchors.centred, **options).cpu()

    return on_device(projected)


def _stored_or_encoded(model: Model, data: DataSet, progress: Progress) -> Tensor:
    key = cache.cache_key("space", weights=model.fingerprint, data=data.fingerprint)
    stored = cache.read(key)
    if stored is not None and stored.keys() == {"space"} and stored["space"].shape == (len(data), model.width):
        return stored["space"]
    pieces = Pieces(model.fingerprint, data.fingerprint)
    space = _encode(model, data, pieces, progress)
    cache.write(key, {"space": space})
    pieces.remove()
    return space


def _layer_key(model: Model, data: DataSet, node: str) -> str:
    return cache.cache_key("layer", weights=model.fingerprint, data=data.fingerprint, node=node, axes="found")


def _stored_layer(model: Model, data: DataSet, node: str) -> Tensor | None:
    stored = cache.read(_layer_key(model, data, node))
    return None if stored is None else stored.get("space")


def _encode_layers(model: Model, data: DataSet, widths: dict[str, int], progress: Progress) -> dict[str, Tensor]:
    begin, n = data.gallery_size, len(data) - data.gallery_size
    nodes = list(widths)

    def encoded(rows: slice, where: torch.device) -> Tensor:
        progress(rows.start / n, f"encoding {len(nodes)} layers with {model.name}")
        there = slice(begin + rows.start, begin + rows.stop)
        return torch.cat(encoder_of(model, where).encode_nodes(data, there, nodes), dim=1)

    shape = (n, sum(widths.values()))
    beside = in_batches(encoded, shape, batch=model.batch, key=(model.fingerprint, "layers"))
    spaces = dict(zip(nodes, (space.contiguous() for space in beside.split(list(widths.values()), dim=1)), strict=True))
    for node, space in spaces.items():
        cache.write(_layer_key(model, data, node), {"space": space})
    return spaces


def _encode(model: Model, data: DataSet, pieces: Pieces, progress: Progress) -> Tensor:
    """All rows; after those that an interrupted encoding left."""
    n = len(data)
    first = pieces.read((n, model.width))

    def encoded(rows: slice, where: torch.device) -> Tensor:
        there = slice(len(first) + rows.start, len(first) + rows.stop)
        progress(there.start / n, Interruptible(f"encoding with {model.name}"))
        return encoder_of(model, where).encode(data, there)

    def done(rows: Tensor) -> None:
        pieces.keep(len(first), rows)

    shape = (n - len(first), model.width)
    rest = in_batches(encoded, shape, batch=model.batch, key=model.fingerprint, done=done)
    return torch.cat([first, rest]) if len(first) else rest


def part(progress: Progress, begin: float, end: float) -> Progress:
    """The progress of one part of a job that itself goes from `begin` to `end`."""
    return lambda share, text: progress(begin + share * (end - begin), text)
