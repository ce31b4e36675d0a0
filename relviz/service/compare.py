"""Use cases: how alike two spaces, or all spaces of the shelf, are."""

from __future__ import annotations

from dataclasses import dataclass

from relviz.core.measures import measure_all
from relviz.data.catalogue import load_dataset
from relviz.models.shelf import models_for
from relviz.models.training import Progress
from relviz.service.requests import Compare, Similarity
from relviz.service.spaces import part, relative_space, space_of
from relviz.types import MeasureValue

Measured = dict[str, MeasureValue]


@dataclass(frozen=True)
class Comparison:
    """Answer to `Compare`: measure name to value, from A to B."""

    absolute: Measured
    relative: Measured


@dataclass(frozen=True)
class SimilarityBoard:
    """Answer to `Similarity`: `absolute[i][j]` and `relative[i][j]` hold the measures from model i to model j."""

    models: tuple[str, ...]
    absolute: list[list[Measured]]
    relative: list[list[Measured]]


def compare(request: Compare, progress: Progress) -> Comparison:
    """Measures of one pair on the held-out rows."""
    data = load_dataset(request.data)
    spaces = [
        space_of(name, request.data, part(progress, begin, begin + 0.4))
        for name, begin in ((request.a, 0.0), (request.b, 0.4))
    ]
    progress(0.8, "measuring")
    a, b = (space[data.held_out] for space in spaces)
    relative_a, relative_b = (relative_space(space, data, request.anchors) for space in spaces)
    return Comparison(measure_all(a, b, k=request.k), measure_all(relative_a, relative_b, k=request.k))


def similarity(request: Similarity, progress: Progress) -> SimilarityBoard:
    """Measures of every ordered pair of models that fit the data, on the held-out rows."""
    data = load_dataset(request.data)
    names = tuple(models_for(data.side))
    absolute, relative = [], []
    for done, name in enumerate(names):
        space = space_of(name, request.data, part(progress, 0.5 * done / len(names), 0.5 * (done + 1) / len(names)))
        absolute.append(space[data.held_out])
        relative.append(relative_space(space, data, request.anchors))
    boards: list[list[list[Measured]]] = [[], []]
    for i, name in enumerate(names):
        progress(0.5 + 0.5 * i / len(names), f"measuring from {name}")
        for board, spaces in zip(boards, (absolute, relative), strict=True):
            board.append([measure_all(spaces[i], other, k=request.k) for other in spaces])
    return SimilarityBoard(names, *boards)
