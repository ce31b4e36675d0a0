"""Encoding: a model and a data set to an absolute space, computed once and kept on disk."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from relviz import settings
from relviz.core.anchors import STRATEGIES, select_anchors
from relviz.core.projections import project
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet, as_inputs
from relviz.errors import BadChoice, UnknownName
from relviz.models.shelf import ModelCard, find_model, load_model
from relviz.models.training import Progress
from relviz.service import cache
from relviz.service.requests import Anchors

_IN_MEMORY = 64  # spaces kept; 10,000 x 128 takes 5 MB
_spaces: dict[tuple[ModelCard, str], Tensor] = {}
_one_at_a_time = threading.Lock()


def device() -> torch.device:
    """Where networks run: the first GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fitting_model(name: str, data: DataSet) -> ModelCard:
    """The card of a model that can read the data.

    Raises
    ------
    UnknownName, BadChoice: no such model, or it reads images of another size.
    """
    card = find_model(name)
    if card.side != data.side:
        raise BadChoice(
            f"The model '{name}' reads {card.side} x {card.side} images, "
            f"those of '{data.name}' are {data.side} x {data.side}.",
            "Choose another model or data set.",
        )
    return card


def space_of(model: str, data_name: str, progress: Progress) -> Tensor:
    """Latent vectors of all samples, float32 `n x d`, from memory, from disk, or encoded now.

    Raises
    ------
    UnknownName, BadChoice: no such model or data set, or they do not fit.
    DamagedAsset: a bundled file is missing or damaged.
    """
    data = load_dataset(data_name)
    card = fitting_model(model, data)
    with _one_at_a_time:  # equal encodings wait for each other, unlike ones would only fight for the same cores
        if (card, data_name) not in _spaces:
            _spaces[card, data_name] = _stored_or_encoded(card, data, progress)
            while len(_spaces) > _IN_MEMORY:
                del _spaces[next(iter(_spaces))]
        return _spaces[card, data_name]


def anchor_rows(data: DataSet, anchors: Anchors, progress: Progress) -> Tensor:
    """Gallery rows of the chosen anchors, int64 `k`.

    Raises
    ------
    UnknownName, BadChoice: no such strategy; count or seed out of range; the strategy needs what there is not.
    """
    labels = data.label_tensor()[data.gallery]
    vectors = space_of(anchors.source, data.name, progress)[data.gallery] if anchors.source else None
    return select_anchors(labels, strategy=anchors.strategy, count=anchors.count, seed=anchors.seed, vectors=vectors)


def source_of(strategy: str, model: str) -> str:
    """What `Anchors.source` must be: the model, when the strategy looks at vectors, else nothing.

    Raises
    ------
    UnknownName: no such strategy.
    """
    if strategy not in STRATEGIES:
        raise UnknownName("anchor strategy", strategy, STRATEGIES)
    return model if "vectors" in STRATEGIES[strategy].needs else ""


def relative_space(space: Tensor, data: DataSet, anchors: Anchors, rows: Tensor) -> Tensor:
    """Relative coordinates of the held-out rows, `n x k`, given the anchors' gallery rows.

    Raises
    ------
    UnknownName: no such projection.
    """
    return project(space[data.held_out], space[data.gallery][rows], name=anchors.projection, centred=anchors.centred)


def _stored_or_encoded(card: ModelCard, data: DataSet, progress: Progress) -> Tensor:
    key = cache.cache_key("space", weights=card.sha256, data=data.fingerprint)
    stored = cache.read(key)
    if stored is not None and stored.keys() == {"space"} and stored["space"].shape == (len(data), card.width):
        return stored["space"]
    space = _encode(card, data, progress)
    cache.write(key, {"space": space})
    return space


def _encode(card: ModelCard, data: DataSet, progress: Progress) -> Tensor:
    where = device()
    network = load_model(card).to(where)
    space = torch.empty(len(data), card.width)
    with torch.inference_mode():
        for start in range(0, len(data), settings.ENCODE_BATCH):
            progress(start / len(data), f"encoding with {card.name}")
            rows = slice(start, start + settings.ENCODE_BATCH)
            space[rows] = network.encode(as_inputs(data.images[rows]).to(where)).cpu()
    return space


def part(progress: Progress, begin: float, end: float) -> Progress:
    """The progress of one part of a job that itself goes from `begin` to `end`."""
    return lambda share, text: progress(begin + share * (end - begin), text)
