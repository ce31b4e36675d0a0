"""Use cases: which encoder can drive which head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from relviz.core.fitting import Watch
from relviz.core.heads import LinearHead
from relviz.core.stitching import METHODS, Method, Side, chance_f1, stitch_all
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.device import on_device
from relviz.encoding.heads import choose_head
from relviz.encoding.spaces import anchor_rows, fitting_model, part, space_of
from relviz.errors import BadChoice, UnknownName
from relviz.models.catalogue import find
from relviz.models.model import Model
from relviz.models.shelf import shelf
from relviz.progress import Progress
from relviz.requests import Anchors, Stitch
from relviz.shelf_entries import ModelEntry
from relviz.shelf_file import model_entries
from relviz.usecases.table import declare, one_stage

METRICS = {"accuracy": "accuracy", "f1": "weighted F1"}
SEEDS = (1, 3, 5, 10)  # numbers of anchor sets that a page offers


@dataclass(frozen=True)
class StitchedCell:
    """One encoder with one head by one method.

    Attributes
    ----------
    accuracy, native: stitched and native accuracy in [0, 1], or None when undefined. The native head is the model's
        own; where an encoder has none for these classes, a logistic one fitted on the gallery.
    f1, native_f1: weighted F1 of the stitched and the native predictions in [0, 1], or None when undefined.
    chance: accuracy of always naming the commonest class.
    n: held-out samples it was computed on.
    undefined: why there is no accuracy, or None.
    spread, spread_f1: ends of the middle 95 % over the shuffles whose mean a control is; None of other methods.
    """

    encoder: str
    head: str
    method: str
    accuracy: float | None
    f1: float | None
    native: float | None
    native_f1: float | None
    chance: float
    n: int
    undefined: str | None
    spread: tuple[float, float] | None = None
    spread_f1: tuple[float, float] | None = None

    def row(self) -> dict[str, str | float | int | list[float] | None]:
        """All of it side by side, for tables."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def values(self, metric: str) -> tuple[float | None, float | None, float]:
        """The stitched and the native value of a metric of `METRICS`, and what naming the commonest class gives."""
        if metric == "f1":
            return self.f1, self.native_f1, chance_f1(self.chance)
        return self.accuracy, self.native, self.chance

    def band(self, metric: str) -> tuple[float, float] | None:
        """What a control's values of a metric lie between, but for the outer 5 % of its shuffles."""
        return self.spread_f1 if metric == "f1" else self.spread


@dataclass(frozen=True)
class Spread:
    """A value over several anchor sets: its mean, the lowest and the highest; of a control over shuffles as well."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class SeededCell:
    """One encoder with one head by one method, over several anchor sets.

    Attributes
    ----------
    stitched, native: of the metric, or None when undefined for any of the sets.
    chance, n, undefined: as in `StitchedCell`.
    seeds: number of the sets.
    """

    encoder: str
    head: str
    method: str
    stitched: Spread | None
    native: Spread | None
    chance: float
    n: int
    seeds: int
    undefined: str | None

    def row(self) -> dict[str, str | float | int | None]:
        """All of it side by side, for tables."""
        facts: dict[str, str | float | int | None] = {}
        for name, value in vars(self).items():
            if name not in ("stitched", "native"):
                facts[name] = value
                continue
            found = (None, None, None) if value is None else (value.mean, value.low, value.high)
            facts |= dict(zip((name, f"{name}_lowest", f"{name}_highest"), found, strict=True))
        return facts


def stitch(request: Stitch, progress: Progress) -> list[StitchedCell]:
    """Every encoder with every head of the named models by every asked method.

    Raises
    ------
    UnknownName: no such method.
    """
    data = load_dataset(request.data)
    rows = anchor_rows(data, request.anchors, progress)
    sides = []
    for done, name in enumerate(request.models):
        share = 0.5 / len(request.models)
        model = fitting_model(name, data)
        sides.append(side_of(model, data, rows, part(progress, done * share, (done + 1) * share)))

    def read(where: torch.device) -> list[StitchedCell]:
        there, cells = [moved(side, where) for side in sides], []
        steps = [(head, name) for head in there for name in request.methods]
        for done, (head, name) in enumerate(steps):
            watch = partial(_tell, progress, done, len(steps), f"{name}, read by the head of {head.name}")
            watch(0.0)
            encoders = [side for side in there if request.own or side is not head]
            cells += _read(encoders, head, data, name, centred=request.anchors.centred, watch=watch)
        return cells

    return on_device(read)


declare(Stitch, list[StitchedCell], one_stage(stitch))


def over_seeds(boards: Iterable[Sequence[StitchedCell]], metric: str) -> list[SeededCell]:
    """Cells of equal encoder, head and method over boards that differ in the anchors' seed, in the first one's order.

    Parameters
    ----------
    metric: a key of `METRICS`.
    """
    together: dict[tuple[str, str, str], list[StitchedCell]] = {}
    for cell in (cell for board in boards for cell in board):
        together.setdefault((cell.encoder, cell.head, cell.method), []).append(cell)
    return [_seeded(cells, metric) for cells in together.values()]


def seeded(anchors: Anchors, seeds: int) -> list[Anchors]:
    """Anchor sets that differ in nothing but their seed, from the given one on.

    Raises
    ------
    BadChoice: fewer than one, or several of anchors chosen by hand.
    """
    if seeds < 1:
        raise BadChoice(f"{seeds} anchor sets cannot be drawn.", "Ask for 1 or more.")
    if anchors.ids and seeds > 1:
        raise BadChoice("Anchors chosen by hand are one set.", "Ask for 1, or name a strategy.")
    return [replace(anchors, seed=anchors.seed + more) for more in range(seeds)]


def curve_counts(data: DataSet) -> list[int]:
    """Numbers of anchors of a curve: about evenly spaced on a logarithmic scale, within the gallery."""
    return [count for count in (2, 5, 10, 20, 50, 100, 200, 300, 500) if count <= data.gallery_size]


def groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Models by what they read and how they are built, alike ones side by side.

    Raises
    ------
    UnknownName: no such model.

    >>> groups(["digits-mlp-s0", "digits-cnn-s1", "digits-cnn-s0"])
    {'image, cnn': ['digits-cnn-s0', 'digits-cnn-s1'], 'image, mlp': ['digits-mlp-s0']}
    """
    found: dict[str, list[str]] = {}
    for kind, name in sorted((f"{find(name).modality}, {_architecture(name)}", name) for name in names):
        found.setdefault(kind, []).append(name)
    return found


def _architecture(name: str) -> str:
    if name in shelf():
        return shelf()[name].recipe.architecture
    entry = model_entries().get(name)
    return (entry.source or entry.builder or name) if isinstance(entry, ModelEntry) else name


def _seeded(cells: list[StitchedCell], metric: str) -> SeededCell:
    stitched, native, chance = zip(*(cell.values(metric) for cell in cells), strict=True)
    first, reasons = cells[0], [cell.undefined for cell in cells if cell.undefined is not None]
    return SeededCell(
        encoder=first.encoder,
        head=first.head,
        method=first.method,
        stitched=_spread(stitched, [cell.band(metric) for cell in cells]),
        native=_spread(native),
        chance=chance[0],
        n=first.n,
        seeds=len(cells),
        undefined=reasons[0] if reasons else None,
    )


def _spread(values: Sequence[float | None], bands: Sequence[tuple[float, float] | None] = ()) -> Spread | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    ends = [*known, *(end for band in bands if band is not None for end in band)]
    return Spread(sum(known) / len(known), min(ends), max(ends))


def side_of(model: Model, data: DataSet, anchors: Tensor, progress: Progress) -> Side:
    """One model of a stitch, given the anchors' gallery rows.

    Raises
    ------
    BadChoice: the data have no labels to fit a head on.
    """
    space = space_of(model, data, progress)
    gallery = space[data.gallery]
    return Side(
        name=model.name,
        gallery=gallery,
        held_out=space[data.held_out],
        anchors=anchors,
        native_head=choose_head(model, data, gallery).head,
    )


def head_words(model: Model, data: DataSet, progress: Progress) -> str:
    """Where the head of a model for a data set comes from, in words."""
    return choose_head(model, data, space_of(model, data, progress)[data.gallery]).words


def moved(side: Side, where: torch.device) -> Side:
    """The same side on a device."""
    head = side.native_head
    return replace(
        side,
        gallery=side.gallery.to(where),
        held_out=side.held_out.to(where),
        anchors=side.anchors.to(where),
        native_head=head and LinearHead(head.weight.to(where), head.bias.to(where)),
    )


def _tell(progress: Progress, done: int, steps: int, text: str, share: float) -> None:
    progress(0.5 + 0.5 * (done + share) / steps, text)


def _read(
    encoders: list[Side], head: Side, data: DataSet, name: str, *, centred: bool, watch: Watch
) -> list[StitchedCell]:
    labels = data.label_tensor().to(head.gallery.device)
    gallery, held_out = labels[data.gallery], labels[data.held_out]
    cells = stitch_all(
        method_of(name), encoders, head, gallery_labels=gallery, labels=held_out, centred=centred, watch=watch
    )
    return [
        StitchedCell(
            encoder=encoder.name, head=head.name, method=name, chance=data.chance, n=len(held_out), **vars(cell)
        )
        for encoder, cell in zip(encoders, cells, strict=True)
    ]


def method_of(name: str) -> Method:
    """A registered method.

    Raises
    ------
    UnknownName: no such method.
    """
    if name not in METHODS:
        raise UnknownName("stitching method", name, METHODS)
    return METHODS[name]
