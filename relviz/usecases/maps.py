"""Use case: the four maps of a pair, each with the share of true neighbours it keeps."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from relviz import settings
from relviz.core.neighbours import kept_share, nearest_by_distance
from relviz.core.projections import PROJECTIONS
from relviz.core.reductions import METRICS, REDUCTIONS
from relviz.core.reductions.nearness import nearest_rows, neighbour_graph, rows_for
from relviz.core.reductions.principal import pca, varies
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding import cache
from relviz.encoding.device import on_device
from relviz.encoding.spaces import anchor_rows, fitting_model, part, related, space_of
from relviz.errors import BadChoice, UnknownName
from relviz.progress import Progress
from relviz.requests import Layout, Maps
from relviz.types import options_of
from relviz.usecases.table import REDUCER, TENSORS, Stage, declare

_one_at_a_time = threading.Lock()  # two of umap-learn in threads can abort a process


@dataclass(frozen=True)
class Map:
    """One view.

    Attributes
    ----------
    view: float32 `n x 2`, or `n x 3`, one row per held-out sample.
    kept: share of true neighbours the map keeps, mean over samples, in [0, 1].
    chance: what a map of random positions would keep.
    each: float32 `n`, the share that each sample keeps.
    anchors: float32 `k x 2`, or `k x 3`, where the anchors lie: on a PCA map by its components, on others at the mean
        place of their `PLACED_BY` nearest samples, because the map is made of the samples alone.
    """

    view: Tensor
    kept: float
    chance: float
    each: Tensor
    anchors: Tensor


@dataclass(frozen=True)
class FourMaps:
    """Answer to `Maps`."""

    absolute_a: Map
    absolute_b: Map
    relative_a: Map
    relative_b: Map

    @property
    def still(self) -> tuple[str, ...]:
        """Names of the maps that are one point, because their spaces do not vary over the held-out samples."""
        return tuple(one.name for one in fields(self) if not varies(getattr(self, one.name).view))


@dataclass(frozen=True)
class Unreduced:
    """A view still to be reduced.

    Attributes
    ----------
    title: of the space, for the progress.
    key: under which the view will be cached.
    parts: what the reduction reads: a graph's neighbours and similarities, or the space's rows.
    start: the layout to begin with.
    """

    title: str
    key: str
    parts: tuple[Tensor, ...]
    start: Tensor


@dataclass(frozen=True)
class Drawing:
    """Maps half way: what takes the spaces and their device is done, the reductions are not.

    Attributes
    ----------
    truth: true neighbours, int64 `n x k`, by map.
    near: samples nearest to each anchor, int64 `k x m`, by map.
    views: those that were cached, by fit ("absolute_a", "absolute_b", "relative").
    rest: the other fits.
    """

    request: Maps
    truth: dict[str, Tensor]
    near: dict[str, Tensor]
    views: dict[str, Tensor]
    rest: dict[str, Unreduced]


@dataclass(frozen=True)
class _Spaces:
    maps: dict[str, Tensor]  # held-out rows by map
    anchors: dict[str, Tensor]  # the anchors by map
    keys: dict[str, str]  # of the views by fit

    @property
    def fits(self) -> dict[str, Tensor]:
        """What is reduced: both relative spaces together, so that their coordinates mean the same."""
        return _joined(self.maps)


FEWEST_NEIGHBOURS, MOST_NEIGHBOURS = 2, 200  # that a layout may ask for
_TITLES = {"absolute_a": "absolute A", "absolute_b": "absolute B", "relative": "relative A and B together"}


def draw_maps(request: Maps, progress: Progress) -> FourMaps:
    """The four PCA maps of a pair over the held-out rows.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value.
    """
    if request.dimensions not in (2, 3):
        raise BadChoice(f"There are no maps of {request.dimensions} dimensions.", "Choose 2 or 3.")
    spaces = _spaces(request, load_dataset(request.data), part(progress, 0.0, 0.8))
    anchors = _joined(spaces.anchors)
    views, places = {}, {}
    for fit, space in spaces.fits.items():
        both = pca(space, request.dimensions, others=anchors[fit])
        both[: len(space)] *= varies(space)  # else one point, without the rounding of equal rows
        views[fit], places[fit] = both[: len(space)], both[len(space) :]
    progress(0.9, "counting the neighbours that the maps keep")
    return _four_maps(_truth(spaces), _parted(views), _parted(places))


def prepare_maps(request: Maps, progress: Progress) -> Drawing:
    """The first stage of four other maps: spaces, true neighbours, and what the views not yet cached are made of.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value.
    """
    data = load_dataset(request.data)
    _check(request, len(data) - data.gallery_size)
    spaces = _spaces(request, data, part(progress, 0.0, 0.1))
    progress(0.1, "finding neighbours")
    cached = {fit: cache.read(key) for fit, key in spaces.keys.items()}
    views = {fit: entry["view"] for fit, entry in cached.items() if entry is not None}
    rest = {
        fit: Unreduced(_TITLES[fit], spaces.keys[fit], _parts(request, space), pca(space) * varies(space))
        for fit, space in spaces.fits.items()
        if fit not in views
    }
    truth = _truth(spaces)
    near = {
        name: nearest_rows(spaces.anchors[name], space, request.layout.metric) for name, space in spaces.maps.items()
    }
    progress(0.2, "waiting for the process that draws")
    return Drawing(request, truth, near, views, rest)


def finish_maps(drawing: Drawing, progress: Progress) -> FourMaps:
    """The second stage: the reductions themselves, one after the other."""
    views = dict(drawing.views)
    count = len(drawing.rest)
    for done, (fit, unreduced) in enumerate(drawing.rest.items()):
        text = f"{REDUCTIONS[drawing.request.reduction].label} of {unreduced.title}, map {done + 1} of {count}"
        begin, end = (0.2 + 0.75 * i / count for i in (done, done + 1))
        views[fit] = _reduced(drawing.request, unreduced, text, part(progress, begin, end))
        cache.write(unreduced.key, {"view": views[fit]})
    progress(0.95, "counting the neighbours that the maps keep")
    apart = _parted(views)
    return _four_maps(drawing.truth, apart, {name: apart[name][near].mean(1) for name, near in drawing.near.items()})


def _stages(request: Maps) -> tuple[Stage, ...]:
    if request.reduction == "pca":
        return (Stage(TENSORS, draw_maps),)
    return Stage(TENSORS, prepare_maps), Stage(REDUCER, finish_maps)


declare(Maps, FourMaps, _stages)


def _check(request: Maps, n: int) -> None:
    """Refuse an unknown reduction and an impossible layout."""
    layout = request.layout
    if request.reduction not in REDUCTIONS:
        raise UnknownName("reduction", request.reduction, REDUCTIONS)
    if request.dimensions != 2:
        raise BadChoice("Only PCA draws in three dimensions.", "Choose 'pca', or 2 dimensions.")
    if layout.metric not in METRICS:
        raise UnknownName("metric", layout.metric, METRICS)
    most = min(MOST_NEIGHBOURS, n - 1)
    if most < FEWEST_NEIGHBOURS:
        raise BadChoice(f"{n} held-out samples are too few for {REDUCTIONS[request.reduction].label}.", "Choose 'pca'.")
    if not FEWEST_NEIGHBOURS <= layout.neighbours <= most:
        hint = f"Choose {FEWEST_NEIGHBOURS} to {most}."
        raise BadChoice(f"A map cannot follow {layout.neighbours} neighbours.", hint)
    if not 0 <= layout.min_dist <= 0.99:
        raise BadChoice(f"Points cannot keep a distance of {layout.min_dist}.", "Choose 0 to 0.99.")
    if not 0 <= layout.seed < 2**32:
        raise BadChoice(f"There is no seed {layout.seed}.", "Choose 0 to 4294967295.")


def _spaces(request: Maps, data: DataSet, progress: Progress) -> _Spaces:
    models = [fitting_model(name, data) for name in (request.a, request.b)]
    a, b = (space_of(model, data, part(progress, 0.5 * done, 0.5 * done + 0.5)) for done, model in enumerate(models))
    rows = anchor_rows(data, request.anchors, progress)
    maps, anchors = {}, {}
    for side, space in (("a", a), ("b", b)):
        chosen = space[data.gallery][rows]
        maps[f"absolute_{side}"], anchors[f"absolute_{side}"] = space[data.held_out], chosen
        maps[f"relative_{side}"] = related(space[data.held_out], chosen, request.anchors)
        anchors[f"relative_{side}"] = related(chosen, chosen, request.anchors)
    weights_a, weights_b = (model.fingerprint for model in models)
    shared: dict[str, cache.Ingredient] = {
        "data": data.fingerprint,
        "reduction": request.reduction,
        "layout": asdict(request.layout),
    }
    keys = {
        "absolute_a": cache.cache_key("view", weights=weights_a, **shared),
        "absolute_b": cache.cache_key("view", weights=weights_b, **shared),
        "relative": cache.cache_key(
            "view",
            weights=[weights_a, weights_b],
            anchors=rows.tolist(),
            projection=[request.anchors.projection, PROJECTIONS.package_of(request.anchors.projection)],
            options=options_of(request.anchors.options, "projection", request.anchors.projection),
            centred=request.anchors.centred,
            **shared,
        ),
    }
    return _Spaces(maps, anchors, keys)


def _joined(by_map: dict[str, Tensor]) -> dict[str, Tensor]:
    """By fit what is given by map."""
    both = torch.cat([by_map["relative_a"], by_map["relative_b"]])
    return {"absolute_a": by_map["absolute_a"], "absolute_b": by_map["absolute_b"], "relative": both}


def _parted(by_fit: dict[str, Tensor]) -> dict[str, Tensor]:
    """By map what is given by fit."""
    relative_a, relative_b = (half.contiguous() for half in by_fit["relative"].chunk(2))
    absolute = {name: by_fit[name].contiguous() for name in ("absolute_a", "absolute_b")}
    return absolute | {"relative_a": relative_a, "relative_b": relative_b}


def _truth(spaces: _Spaces) -> dict[str, Tensor]:
    n = len(spaces.maps["absolute_a"])
    nearest = Layout(neighbours=min(settings.MAP_NEIGHBOURS, n - 1))
    return {name: _graph(space, nearest)[0] for name, space in spaces.maps.items()}


def _graph(space: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    def found(where: torch.device) -> tuple[Tensor, Tensor]:
        indices, similarities = neighbour_graph(space.to(where), layout.neighbours, layout.metric)
        return indices.cpu(), similarities.cpu()

    return on_device(found)


def _parts(request: Maps, space: Tensor) -> tuple[Tensor, ...]:
    if REDUCTIONS[request.reduction].given == "graph":
        return _graph(space, request.layout)
    return (rows_for(space, request.layout.metric),)


def _reduced(request: Maps, unreduced: Unreduced, text: str, progress: Progress) -> Tensor:
    progress(0.0, text)
    if not varies(unreduced.start):
        return unreduced.start
    reduction = REDUCTIONS[request.reduction]
    inside = {"metric", "neighbours"} if reduction.given == "graph" else {"metric"}  # what is given follows them
    keywords: dict[str, Any] = {name: getattr(request.layout, name) for name in reduction.heeds - inside}
    if reduction.tells:
        keywords["progress"] = lambda share: progress(share, text)
    with _one_at_a_time:
        return reduction.function(*unreduced.parts, unreduced.start, **keywords)


def _four_maps(truth: dict[str, Tensor], views: dict[str, Tensor], anchors: dict[str, Tensor]) -> FourMaps:
    return FourMaps(**{name: _map(truth[name], view, anchors[name]) for name, view in views.items()})


def _map(truth: Tensor, view: Tensor, anchors: Tensor) -> Map:
    n, k = truth.shape
    each = kept_share(truth, nearest_by_distance(view, k))
    return Map(view, float(each.mean()), k / (n - 1), each.float(), anchors)
