"""Every model that a name can stand for: bundled, of the shelf file, or of one of the sources."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from relviz import settings
from relviz.core.heads import LinearHead
from relviz.core.registry import Registry
from relviz.data.dataset import DataSet
from relviz.errors import BadChoice, BadFile, RelvizError, UnknownName
from relviz.models import arrays, own, shelf, text, vision
from relviz.models.encoder import NetworkEncoder
from relviz.models.graph_reading import Nodes
from relviz.models.heads import linear_head
from relviz.models.model import Model
from relviz.models.preprocessing import Pictures
from relviz.models.reading import Built, model_of
from relviz.models.watching import ENCODE
from relviz.shelf_entries import ModelEntry, entry_of
from relviz.shelf_file import add_model, check_free, model_entries
from relviz.stamps import stamp

_Build = Callable[[str, Path | None], Built]
SOURCES: Registry[_Build] = Registry(
    "relviz.sources",
    lambda found: None if callable(found) else f"it is a {type(found).__name__} and no function",
    {
        "torchvision": vision.of_torchvision,
        "timm": vision.of_timm,
        "efficientnet-lite": vision.efficientnet_lite,
        "hf": text.of_hub,
    },
)

_log = logging.getLogger(__name__)
OF_IMAGES = ("size", "channels", "mean", "std")  # keys of an entry that only a network of images uses


def find(name: str) -> Model:
    """The model of that name: of the bundled ones, of the shelf file, `array:FILE#KEY`, or `SOURCE:NAME`.

    Raises
    ------
    UnknownName: there is none.
    RelvizError: it exists but does not work; the sentence says why.

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
    broken = entries.get(settings.shelf_file().name)
    raise broken if isinstance(broken, BadFile) else UnknownName("model", name, [*cards, *entries])


def names_for(data: DataSet, *, decoding: bool = True) -> list[str]:
    """Names of the models that `offered` offers.

    Parameters
    ----------
    decoding: whether to name autoencoders as well, which have no head.
    """
    return [
        name for name, model in offered(data).items() if isinstance(model, Model) and (decoding or not model.decodes)
    ]


def offered(data: DataSet) -> dict[str, Model | RelvizError]:
    """The bundled models and those of the shelf file that read the data, by name; last those with problems, and why.

    An array is offered only for data that it is known to belong to.
    """
    found = {name: _had(name) for name in [*shelf.shelf(), *model_entries()]}
    models = {name: model for name, model in found.items() if isinstance(model, Model) and _misfit(model, data) is None}
    return {**models, **{name: error for name, error in found.items() if isinstance(error, RelvizError)}}


def why_not_offered(name: str, data: DataSet) -> str:
    """Why a model is not among those offered for the data, as a whole sentence with a hint.

    Only names on the shelf are looked up: a visitor's link must not open files.
    """
    known = [*shelf.shelf(), *model_entries()]
    model = _had(name) if name in known else UnknownName("model", name, known)
    if isinstance(model, RelvizError):
        return str(model)
    return f"The model '{name}' {_misfit(model, data)}. Choose another model or data set."


def usual_data(*names: str) -> str:
    """The data set of a question that names none: the one that the first array of the models belongs to, if any does.

    >>> usual_data("digits-mlp-s0", "array:f.npz#effnet0"), usual_data("digits-mlp-s0")
    ('f.npz#effnet0', 'fashion-mnist')
    """
    return next((found for name in names if (found := own_data(name)) is not None), "fashion-mnist")


def own_data(name: str) -> str | None:
    """The data set that an array is known to belong to: the one of its entry, else the rows of its own file.

    >>> own_data("array:f.npz#effnet0")
    'f.npz#effnet0'
    >>> own_data("digits-mlp-s0")
    """
    entry = None if name in shelf.shelf() else model_entries().get(name)
    source = from_folder(entry) if isinstance(entry, ModelEntry) and entry.source else name
    if not source.startswith(arrays.PREFIX):
        return None
    return entry.data[0] if isinstance(entry, ModelEntry) and entry.data else source.removeprefix(arrays.PREFIX)


def _had(name: str) -> Model | RelvizError:
    try:
        return find(name)
    except RelvizError as error:
        return error


def _misfit(model: Model, data: DataSet) -> str | None:
    reason = model.why_not(data)
    if reason is not None or model.assumed_for(data) is None:
        return reason
    return f"is an array that nothing binds to '{data.name}'; 'relviz shelf' says how"


def model_from(name: str, entry: ModelEntry) -> Model:
    """The model of an entry, tried once. The last ones are kept while their files stay as they are.

    Raises
    ------
    RelvizError: it does not work; the sentence says why.
    """
    try:
        if (entry.source or "").startswith(arrays.PREFIX):
            return arrays.array_model(from_folder(entry), name=name, belongs=entry.data or ())
        file = entry.path()
        return _model_from(name, entry, stamp(file) if file is not None else None)
    except RelvizError:
        raise
    except Exception as error:  # one entry, whatever it holds, must not take the others with it
        _log.exception("the model %r could not be tried", name)
        sentence = f"The model '{name}' cannot be used: {type(error).__name__} while it was tried."
        raise BadFile(sentence, "Correct its entry; the log tells more.") from error


def from_folder(entry: ModelEntry) -> str:
    """The source of an entry, an array's path from the folder of the shelf file.

    >>> from_folder(ModelEntry(source="timm:resnet18"))
    'timm:resnet18'
    """
    source = entry.source or ""
    if not source.startswith(arrays.PREFIX):
        return source
    return f"{arrays.PREFIX}{entry.folder / Path(source.removeprefix(arrays.PREFIX)).expanduser()}"


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
    RelvizError: the name is taken, the facts are no entry, or the model does not work; nothing is written then.
    """
    file = settings.shelf_file()
    check_free(name)
    if name in shelf.shelf():
        raise BadChoice(f"A bundled model is called '{name}'.", "Take another name.")
    if "checkpoint" in facts:
        path, folder = Path(facts["checkpoint"]).expanduser().resolve(), file.parent.resolve()
        facts = {**facts, "checkpoint": str(path.relative_to(folder) if path.is_relative_to(folder) else path)}
    entry = entry_of(name, dict(facts), folder=file.parent, file=file)
    model = model_from(name, entry)
    if model.modality == "any":
        arrays.binding(from_folder(entry), entry.data or ())
    return add_model(name, entry), model


@lru_cache(maxsize=16)
def _model_from(name: str, entry: ModelEntry, _stamp: object) -> Model:
    """The last argument changes when the checkpoint has; then it is read again."""
    built = own.of_builder(entry.builder, entry) if entry.builder is not None else _of_source(entry)
    of_images = [part for part in OF_IMAGES if getattr(entry, part) is not None]
    if of_images and not isinstance(built.reads, Pictures):
        told = f"'{entry.builder or entry.source}' reads no images, but {', '.join(of_images)} are named"
        raise BadFile(f"{told}.", "Leave these out.")
    if entry.latent is not None:
        built = replace(built, node=entry.latent)
    built = replace(built, classes=entry.classes or built.classes, licence=entry.licence or built.licence)
    return model_of(name, built)


def _of_source(entry: ModelEntry) -> Built:
    kind, _, name = (entry.source or "").partition(":")
    if kind not in SOURCES:
        raise UnknownName("source of models", kind, SOURCES)
    built = SOURCES[kind](name, entry.path())
    built = replace(built, code=f"{built.code}{SOURCES.package_of(kind)}")  # another version, another fingerprint
    asked: dict[str, Any] = {part: getattr(entry, part) for part in OF_IMAGES}
    chosen = {part: value for part, value in asked.items() if value is not None}
    if not chosen or not isinstance(built.reads, Pictures):
        return built
    if entry.size is not None:
        chosen["resize"] = None  # what was named is what is read, nothing is cut off
    return replace(built, reads=replace(built.reads, **chosen))
