"""Use cases: how alike two spaces, or all spaces of the shelf, are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import torch
from torch import Tensor

from relviz.core.inference import bootstrap_interval, null_band
from relviz.core.measures import MEASURES, Measure, Pair, Space
from relviz.core.options import with_options
from relviz.data.catalogue import load_dataset
from relviz.encoding.device import on_device
from relviz.encoding.spaces import anchor_rows, fitting_model, layer_spaces, part, relative_space, space_of
from relviz.errors import BadChoice, UnknownName
from relviz.models.catalogue import names_for
from relviz.progress import Progress
from relviz.requests import Compare, Layers, Similarity
from relviz.types import MeasureValue, SetOption, options_of
from relviz.usecases.table import declare, one_stage

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


@dataclass(frozen=True)
class LayerBoard:
    """Answer to `Layers`: `values[i][j]` is the value from layer `a[i]` of model A to layer `b[j]` of model B."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    values: list[list[MeasureValue]]


def compare(request: Compare, progress: Progress) -> Comparison:
    """Measures of one pair on the held-out rows.

    Raises
    ------
    UnknownName: no such measure.
    BadChoice: none is named.
    """
    if not request.measures:
        raise BadChoice("No measure is named.", "Name at least one, or ask for all.")
    data = load_dataset(request.data)
    spaces = [
        space_of(fitting_model(name, data), data, part(progress, begin, begin + 0.4))
        for name, begin in ((request.a, 0.0), (request.b, 0.4))
    ]
    a, b = (space[data.held_out] for space in spaces)
    rows = anchor_rows(data, request.anchors, progress)
    relative_a, relative_b = (relative_space(space, data, request.anchors, rows) for space in spaces)
    measures = {name: _measure(name, request.options) for name in request.measures}

    def measured(where: torch.device) -> Comparison:
        pairs = [Pair(x.to(where), y.to(where), k=request.k) for x, y in ((a, b), (relative_a, relative_b))]
        until = 0.85 if request.draws else 1.0  # draws take most of the time
        found = _values(pairs, measures, request.k, part(progress, 0.8, until))
        if request.draws:
            found = _with_draws(found, pairs, measures, request, part(progress, until, 1.0))
        return Comparison(*found)

    return on_device(measured)


declare(Compare, Comparison, one_stage(compare))


def similarity(request: Similarity, progress: Progress) -> SimilarityBoard:
    """One measure of every ordered pair of models that fit the data, on the held-out rows.

    Raises
    ------
    UnknownName: no such measure.
    """
    measure = _measure(request.measure)
    data = load_dataset(request.data)
    names = tuple(names_for(data))
    rows = anchor_rows(data, request.anchors, progress)
    absolute, relative = [], []
    for done, name in enumerate(names):
        share = 0.5 / len(names)
        space = space_of(fitting_model(name, data), data, part(progress, done * share, (done + 1) * share))
        absolute.append(space[data.held_out])
        relative.append(relative_space(space, data, request.anchors, rows))
    boards = [
        on_device(partial(_board, spaces, measure, request.k, part(progress, begin, begin + 0.25)))
        for spaces, begin in ((absolute, 0.5), (relative, 0.75))
    ]
    return SimilarityBoard(names, *boards)


declare(Similarity, SimilarityBoard, one_stage(similarity), whole_shelf=True)


def compare_layers(request: Layers, progress: Progress) -> LayerBoard:
    """One measure from every layer of one model to every layer of another, on the held-out rows.

    Raises
    ------
    UnknownName: no such measure. BadChoice: a model is no network.
    """
    measure = _measure(request.measure, request.options)
    data = load_dataset(request.data)
    model_a, model_b = (fitting_model(name, data) for name in (request.a, request.b))
    a = layer_spaces(model_a, data, part(progress, 0.0, 0.4))
    b = a if request.b == request.a else layer_spaces(model_b, data, part(progress, 0.4, 0.8))

    def measured(where: torch.device) -> list[list[MeasureValue]]:
        rows, columns = ([Space(space.to(where)) for space in spaces.values()] for spaces in (a, b))
        total, done = len(rows) * len(columns), count()

        def value(row: Space, column: Space) -> MeasureValue:
            progress(0.8 + 0.2 * next(done) / total, f"{measure.label.format(k=request.k)} of layers")
            return measure(Pair(row, column, k=request.k))

        return [[value(row, column) for column in columns] for row in rows]

    return LayerBoard(tuple(a), tuple(b), on_device(measured))


declare(Layers, LayerBoard, one_stage(compare_layers))


def _values(pairs: list[Pair], measures: dict[str, Measure], k: int, progress: Progress) -> list[Measured]:
    """Every measure of every pair; the progress between them is also where a cancelled job ends."""
    total, done = len(pairs) * len(measures), count()

    def value(measure: Measure, pair: Pair) -> MeasureValue:
        progress(next(done) / total, f"measuring {measure.label.format(k=k)}")
        return measure(pair)

    return [{name: value(measure, pair) for name, measure in measures.items()} for pair in pairs]


def _with_draws(
    found: list[Measured], pairs: list[Pair], measures: dict[str, Measure], request: Compare, progress: Progress
) -> list[Measured]:
    """The values with their null bands and intervals."""
    total, done = 4 * len(measures) * request.draws, count()
    return [
        {
            name: _resampled(value, measures[name], pair, request, lambda text: progress(next(done) / total, text))
            for name, value in values.items()
        }
        for values, pair in zip(found, pairs, strict=True)
    ]


def _resampled(
    value: MeasureValue, measure: Measure, pair: Pair, request: Compare, on_draw: Callable[[str], None]
) -> MeasureValue:
    text = f"resampling for {measure.label.format(k=request.k)}"
    null, interval = (
        resample(
            pair.a,
            pair.b,
            measure,
            k=request.k,
            draws=request.draws,
            seed=request.anchors.seed,
            on_draw=lambda: on_draw(text),
        )
        for resample in (null_band, bootstrap_interval)
    )
    return replace(value, null=null, interval=interval)


def _measure(name: str, options: tuple[SetOption, ...] = ()) -> Measure:
    if name not in MEASURES:
        raise UnknownName("measure", name, MEASURES)
    return with_options(MEASURES[name], options_of(options, "measure", name))


def _board(
    spaces: list[Tensor], measure: Measure, k: int, progress: Progress, where: torch.device
) -> list[list[MeasureValue]]:
    """Values from every space to every space; of an undirected measure each pair is computed once."""
    shared = [Space(space.to(where)) for space in spaces]  # a space's searches and axes serve all of its pairs
    count = len(shared)
    board: dict[tuple[int, int], MeasureValue] = {}
    for i in range(count):
        for j in range(count):
            progress((i + j / count) / count, f"{measure.label.format(k=k)} from model {i + 1} of {count}")
            mirrored = None if measure.directed else board.get((j, i))
            board[i, j] = mirrored or measure(Pair(shared[i], shared[j], k=k))
    return [[board[i, j] for j in range(count)] for i in range(count)]
