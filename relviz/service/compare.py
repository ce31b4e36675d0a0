"""Use cases: how alike two spaces, or all spaces of the shelf, are."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from relviz.core.measures import MEASURES, Measure, Pair, Space
from relviz.data.catalogue import load_dataset
from relviz.errors import UnknownName
from relviz.models.shelf import models_for
from relviz.models.training import Progress
from relviz.service.requests import Compare, Similarity
from relviz.service.spaces import anchor_rows, part, relative_space, space_of
from relviz.types import MeasureValue

Measured = dict[str, MeasureValue]


@dataclass(frozen=True)
class Comparison:
    """Answer to `Compare`: measure name to value, from A to B."""

    absolute: Measured
    relative: Measured


@dataclass(frozen=True)
class SimilarityBoard:
    """Answer to `Similarity`: `absolute[i][j]` and `relative[i][j]` are the values from model i to model j."""

    models: tuple[str, ...]
    absolute: list[list[MeasureValue]]
    relative: list[list[MeasureValue]]


def compare(request: Compare, progress: Progress) -> Comparison:
    """Measures of one pair on the held-out rows.

    Raises
    ------
    UnknownName: no such measure.
    """
    data = load_dataset(request.data)
    spaces = [
        space_of(name, request.data, part(progress, begin, begin + 0.4))
        for name, begin in ((request.a, 0.0), (request.b, 0.4))
    ]
    progress(0.8, "measuring")
    a, b = (space[data.held_out] for space in spaces)
    rows = anchor_rows(data, request.anchors, progress)
    relative_a, relative_b = (relative_space(space, data, request.anchors, rows) for space in spaces)
    names = request.measures or tuple(MEASURES)
    return Comparison(
        *(
            {name: _measure(name)(pair) for name in names}
            for pair in (Pair(a, b, k=request.k), Pair(relative_a, relative_b, k=request.k))
        )
    )


def similarity(request: Similarity, progress: Progress) -> SimilarityBoard:
    """One measure of every ordered pair of models that fit the data, on the held-out rows.

    Raises
    ------
    UnknownName: no such measure.
    """
    measure = _measure(request.measure)
    data = load_dataset(request.data)
    names = tuple(models_for(data.side))
    rows = anchor_rows(data, request.anchors, progress)
    absolute, relative = [], []
    for done, name in enumerate(names):
        space = space_of(name, request.data, part(progress, 0.5 * done / len(names), 0.5 * (done + 1) / len(names)))
        absolute.append(space[data.held_out])
        relative.append(relative_space(space, data, request.anchors, rows))
    boards = [
        _board(spaces, measure, request.k, part(progress, begin, begin + 0.25))
        for spaces, begin in ((absolute, 0.5), (relative, 0.75))
    ]
    return SimilarityBoard(names, *boards)


def _measure(name: str) -> Measure:
    if name not in MEASURES:
        raise UnknownName("measure", name, MEASURES)
    return MEASURES[name]


def _board(spaces: list[Tensor], measure: Measure, k: int, progress: Progress) -> list[list[MeasureValue]]:
    """Values from every space to every space; of an undirected measure each pair is computed once."""
    shared = [Space(space) for space in spaces]  # a space's searches and axes serve all of its pairs
    count = len(shared)
    board: dict[tuple[int, int], MeasureValue] = {}
    for i in range(count):
        progress(i / count, f"{measure.label.format(k=k)} from model {i + 1} of {count}")
        for j in range(count):
            mirrored = None if measure.directed else board.get((j, i))
            board[i, j] = mirrored or measure(Pair(shared[i], shared[j], k=k))
    return [[board[i, j] for j in range(count)] for i in range(count)]
