"""Use case: the four maps of a pair, each with the share of true neighbours it keeps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relviz import settings
from relviz.core.neighbours import nearest_by_cosine
from relviz.core.reduction import kept_neighbours, pca
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.errors import BadChoice
from relviz.models.training import Progress
from relviz.service import cache
from relviz.service.reducer import reduce_by_umap
from relviz.service.requests import Maps
from relviz.service.spaces import anchor_rows, fitting_model, part, relative_space, space_of


@dataclass(frozen=True)
class Map:
    """One view.

    Attributes
    ----------
    view: float32 `n x 2`, one row per held-out sample.
    kept: share of true neighbours the map keeps, mean over samples, in [0, 1].
    chance: what a map of random positions would keep.
    """

    view: Tensor
    kept: float
    chance: float


@dataclass(frozen=True)
class FourMaps:
    """Answer to `Maps`."""

    absolute_a: Map
    absolute_b: Map
    relative_a: Map
    relative_b: Map


def draw_maps(request: Maps, progress: Progress) -> FourMaps:
    """The four maps of a pair over the held-out rows.

    Raises
    ------
    UnknownName, BadChoice: a name or value that is not to be had.
    """
    if request.reduction not in ("pca", "umap"):
        raise BadChoice(f"There is no reduction called '{request.reduction}'.", "Choose 'pca' or 'umap'.")
    data = load_dataset(request.data)
    spaces = [
        space_of(name, request.data, part(progress, begin, begin + 0.1))
        for name, begin in ((request.a, 0.0), (request.b, 0.1))
    ]
    absolute = [space[data.held_out] for space in spaces]
    rows = anchor_rows(data, request.anchors, progress)
    relative = [relative_space(space, data, request.anchors, rows) for space in spaces]
    views = (
        _cached_umap(_key(request, data, rows), absolute, relative, progress)
        if request.reduction == "umap"
        else _pca(absolute, relative)
    )
    progress(0.95, "counting the neighbours that the maps keep")
    n = len(absolute[0])
    return FourMaps(
        absolute_a=_map(absolute[0], views["absolute_a"]),
        absolute_b=_map(absolute[1], views["absolute_b"]),
        relative_a=_map(relative[0], views["relative"][:n]),
        relative_b=_map(relative[1], views["relative"][n:]),
    )


def _pca(absolute: list[Tensor], relative: list[Tensor]) -> dict[str, Tensor]:
    """Both relative spaces share one fit: their coordinates mean the same."""
    return {"absolute_a": pca(absolute[0]), "absolute_b": pca(absolute[1]), "relative": pca(torch.cat(relative))}


def _cached_umap(key: str, absolute: list[Tensor], relative: list[Tensor], progress: Progress) -> dict[str, Tensor]:
    views = cache.read(key)
    if views is not None:
        return views
    spaces = {"absolute_a": absolute[0], "absolute_b": absolute[1], "relative": torch.cat(relative)}
    titles = {"absolute_a": "absolute A", "absolute_b": "absolute B", "relative": "relative A and B together"}
    views = {}
    for name, start in _pca(absolute, relative).items():
        progress(0.2 + 0.25 * len(views), f"UMAP of {titles[name]}, map {len(views) + 1} of 3")
        views[name] = reduce_by_umap(*nearest_by_cosine(spaces[name], settings.MAP_NEIGHBOURS), start, seed=0)
    cache.write(key, views)
    return views


def _map(space: Tensor, view: Tensor) -> Map:
    k = settings.MAP_NEIGHBOURS
    return Map(view, float(kept_neighbours(space, view, k).mean()), k / (len(space) - 1))


def _key(request: Maps, data: DataSet, rows: Tensor) -> str:
    cards = [fitting_model(name, data) for name in (request.a, request.b)]
    return cache.cache_key(
        "umap",
        a=cards[0].sha256,
        b=cards[1].sha256,
        data=data.fingerprint,
        anchors=",".join(map(str, rows.tolist())),
        projection=request.anchors.projection,
        centred=request.anchors.centred,
        neighbours=settings.MAP_NEIGHBOURS,
    )
