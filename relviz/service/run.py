"""One door to every use case: a request in, its result out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from relviz.models.training import Progress
from relviz.service.compare import compare, compare_layers, similarity
from relviz.service.equaliser import equalise
from relviz.service.explain import explain, read_samples
from relviz.service.maps import draw_maps, finish_maps, prepare_maps
from relviz.service.notes import take_notes
from relviz.service.paired import retrieve, retrieve_all
from relviz.service.reconstruction import reconstruct
from relviz.service.requests import (
    Compare,
    Equalise,
    Explain,
    Layers,
    Maps,
    Notes,
    PairBoard,
    Pairs,
    Readings,
    Reconstruct,
    Request,
    Rescale,
    Similarity,
    Stitch,
)
from relviz.service.scale import rescale
from relviz.service.stitching import stitch

Work: TypeAlias = Callable[[Any, Progress], Any]

TENSORS = "tensors"  # the lane of the worker that owns networks, spaces and the GPU
REDUCER = "reducer"  # the lane of the worker that keeps compiled reducers warm


@dataclass(frozen=True)
class Stage:
    """A step of a use case, done by the worker of one lane.

    Attributes
    ----------
    work: a function of a module, so that its name can be sent to another process. Takes the request, or what the
        stage before gave, and a callback that is told how far the whole request is.
    """

    lane: str
    work: Work


_USE_CASES: dict[type, Work] = {
    Compare: compare,
    Similarity: similarity,
    Layers: compare_layers,
    Stitch: stitch,
    Pairs: retrieve,
    PairBoard: retrieve_all,
    Reconstruct: reconstruct,
    Equalise: equalise,
    Rescale: rescale,
    Maps: draw_maps,
    Readings: read_samples,
    Explain: explain,
    Notes: take_notes,
}


def stages(request: Request) -> tuple[Stage, ...]:
    """The steps from a request to its answer."""
    if isinstance(request, Maps) and request.reduction != "pca":
        return Stage(TENSORS, prepare_maps), Stage(REDUCER, finish_maps)
    return (Stage(TENSORS, _USE_CASES[type(request)]),)


def silent(_share: float, _text: str) -> None:
    """Progress that nobody watches."""


def run(request: Request, progress: Progress = silent) -> Any:
    """The answer to a request, computed here and now.

    Raises
    ------
    RelvizError: the request cannot be met; the sentence says why.
    """
    found: Any = request
    for stage in stages(request):
        found = stage.work(found, progress)
    return found
