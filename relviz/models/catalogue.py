"""Every model that a name can stand for: bundled, of the shelf file, or of one of the sources."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from relviz import settings
from relviz.core.heads import LinearHead
from relviz.data.dataset import DataSet
from relviz.errors import BadChoice, BadFile, RelvizError, UnknownName
from relviz.models import arrays, own, shelf, text, vision
from relviz.models.graph_reading import Nodes
from relviz.models.model import FITTED, Model
from relviz.models.nodes import ENCODE, linear_head
from relviz.models.preprocessing import Pictures
from relviz.models.reading import Built, NetworkEncoder, model_of
from relviz.shelf_file import ModelEntry, add_model, check_free, entry_of, model_entries

SOURCES: dict[str, Callable[[str, Path | None], Built]] = {
    "torchvision": vision.of_torchvision,
    "timm": vision.of_timm,
    "efficientnet-lite": vision.efficientnet_lite,
    "hf": text.of_hub,
}


@dataclass(frozen=True)
class ShelfLine:
    """One entry of the shelf file, and what keeps it from working, if anything does.

    Attributes
    ----------
    head: what its own head tells apart, or that one is fitted on the gallery of the data, in words.
    notes: as `Model.notes`.
    """

    name: str
    built_from: str
    checkpoint: str
    width: int | None
    head: str | None
    problem: str | None
    notes: tuple[str, ...] = ()


def find(name: str) -> Model:
    """The model of that name: of the bundled ones, of the shelf file, `array:FILE#KEY`, or `SOURCE:NAME`.

    Raises
    ------
    UnknownName: there is none.
    RelvizError: there is, but it cannot be had; the sentence says why.

    >>> find("digits-mlp-s0").width
    64
    """
    cards = shelf.shelf()
    if name in cards:
        return bundled(cards[name])
    if name.startswith(arrays.PREFIX):
        return arrays.array_model(name)
    entries = model_entries()
    entry = entries.get(name)
    if isinstance(entry, BadFile):
        raise entry
    if entry is not None:
        return model_from(name, entry)
    if name.partition(":")[0] in SOURCES and ":" in name:
        return model_from(name, ModelEntry(source=name))
    raise UnknownName("model", name, [*cards, *entries])


def names_for(data: DataSet, *, decoding: bool = True) -> list[str]:
    """Names of the bundled models and of those of the shelf file that read the data, but for those with problems.

    Parameters
    ----------
    decoding: whether to name autoencoders as well, which have no head.
    """
    names = [*shelf.shelf(), *model_entries()]
    models = [model for name in names if (model := _had(name)) is not None]
    return [model.name for model in models if model.why_not(data) is None and (decoding or not model.decodes)]


def _had(name: str) -> Model | None:
    try:
        return find(name)
    except RelvizError:  # `relviz shelf` says why
        return None


def model_from(name: str, entry: ModelEntry) -> Model:
    """The model of an entry, tried once. The last ones are kept while their files stay as they are.

    Raises
    ------
    RelvizError: it cannot be had; the sentence says why.
    """
    if (entry.source or "").startswith(arrays.PREFIX):
        return replace(arrays.array_model(_from_folder(entry)), name=name)
    file = entry.path()
    stamp = (file.stat().st_mtime_ns, file.stat().st_size) if file is not None and file.exists() else None
    return _model_from(name, entry, stamp)


def _from_folder(entry: ModelEntry) -> str:
    """The name of an entry's array, its path from the folder of the shelf file."""
    return f"{arrays.PREFIX}{entry.folder / Path((entry.source or '').removeprefix(arrays.PREFIX)).expanduser()}"


@lru_cache(maxsize=64)
def bundled(card: shelf.ModelCard) -> Model:
    """The model of a card, whose weights are read when they are needed; its fingerprint is their file's sha256."""
    graphs = card.recipe.reads_graphs
    reads = Nodes(card.side) if graphs else Pictures(channels=1)
    comes_along = card.folder == settings.MODELS

    def why_not(data: DataSet) -> str | None:
        reason = reads.misfit(data)
        if reason is not None or graphs or data.shape == (card.side, card.side):
            return reason
        extent = " x ".join(map(str, data.shape[:2]))
        return f"reads {card.side} x {card.side} images, and those of '{data.name}' are {extent}"

    def head() -> LinearHead:
        layer: Any = shelf.load_model(card).head
        return linear_head(layer.weight, layer.bias)

    return Model(
        name=card.name,
        origin=f"{'bundled, trained' if comes_along else 'trained here'} on {card.recipe.data}",
        licence="MIT" if comes_along else "yours",
        modality=reads.modality,
        width=card.width,
        fingerprint=card.sha256,
        read_head=head if card.classifies else None,
        decodes=card.recipe.reconstructs,
        why_not=why_not,
        load=lambda: NetworkEncoder(shelf.load_model(card), reads, ENCODE),
        relative=bool(card.recipe.anchors),
        batch=sys.maxsize if graphs else settings.ENCODE_BATCH,  # a graph is read as a whole, whichever nodes are asked
    )


def add(name: str, facts: Mapping[str, Any]) -> tuple[Path, Model]:
    """Try a model of these facts and write it into the shelf file; gives the file and the model.

    Parameters
    ----------
    facts: keys of `ModelEntry`; the checkpoint's path starts in the working folder.

    Raises
    ------
    RelvizError: the name is taken, the facts are no entry, or the model cannot be had; nothing is written then.
    """
    file = settings.shelf_file()
    check_free(name)
    if name in shelf.shelf():
        raise BadChoice(f"A bundled model is called '{name}'.", "Take another name.")
    if "checkpoint" in facts:
        path = Path(facts["checkpoint"]).expanduser().resolve()
        facts = {
            **facts,
            "checkpoint": str(path.relative_to(file.parent) if path.is_relative_to(file.parent) else path),
        }
    entry = entry_of(name, dict(facts), folder=file.parent, file=file)
    model = model_from(name, entry)
    return add_model(name, entry), model


def lines() -> list[ShelfLine]:
    """Every entry of the shelf file, each tried."""
    return [_line(name, entry) for name, entry in model_entries().items()]


def _line(name: str, entry: ModelEntry | BadFile) -> ShelfLine:
    if isinstance(entry, BadFile):
        return ShelfLine(name, "", "", None, None, str(entry))
    line = partial(ShelfLine, name, entry.builder or entry.source or "", entry.checkpoint or "")
    try:
        model = model_from(name, entry)
    except RelvizError as error:
        return line(None, None, str(error))
    return line(model.width, own_head(model), None, model.notes)


def own_head(model: Model) -> str:
    """What a model's own head tells apart, in words."""
    if model.head is not None:
        return f"{model.head.weight.shape[1]} classes"
    return "none, a decoder" if model.decodes else f"none, {FITTED}"


@lru_cache(maxsize=16)
def _model_from(name: str, entry: ModelEntry, _stamp: object) -> Model:
    """The last argument changes when the checkpoint has; then it is read again."""
    built = own.of_builder(entry.builder, entry) if entry.builder is not None else _of_source(entry)
    if entry.latent is not None:
        built = replace(built, node=entry.latent)
    built = replace(built, classes=entry.classes or built.classes, licence=entry.licence or built.licence)
    return model_of(name, built)


def _of_source(entry: ModelEntry) -> Built:
    kind, _, name = (entry.source or "").partition(":")
    if kind not in SOURCES:
        raise UnknownName("source of models", kind, SOURCES)
    built = SOURCES[kind](name, entry.path())
    asked: dict[str, Any] = {part: getattr(entry, part) for part in ("size", "channels", "mean", "std")}
    chosen = {part: value for part, value in asked.items() if value is not None}
    if not chosen:
        return built
    if not isinstance(built.reads, Pictures):
        raise BadFile(f"'{entry.source}' reads no images, but {', '.join(chosen)} are named.", "Leave these out.")
    if entry.size is not None:
        chosen["resize"] = None  # what was named is what is read, nothing is cut off
    return replace(built, reads=replace(built.reads, **chosen))
