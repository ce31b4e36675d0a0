"""Use case: train a model by its recorded recipe and put it on the shelf."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from relviz import __version__, settings
from relviz.checkpoints.resume import Resumable
from relviz.data.catalogue import load_dataset, load_training
from relviz.data.dataset import DataSet, Graph, as_inputs
from relviz.errors import BadChoice, UnknownName
from relviz.models.architectures import Autoencoder, Classifier
from relviz.models.model import fingerprint
from relviz.models.recipes import BUNDLED, RECIPES
from relviz.models.shelf import ModelCard, put_on_shelf
from relviz.models.training import (
    Network,
    Recipe,
    accuracy,
    graph_accuracy,
    reconstruction_error,
    train,
    train_on_graph,
)
from relviz.progress import Progress


def train_model(name: str, *, data: str | None = None, folder: Path | None = None, progress: Progress) -> ModelCard:
    """Train the model of that name, measure it on the held-out rows and save it.

    One that was killed goes on after its last whole epoch. Nothing is on the shelf before it is finished.

    Parameters
    ----------
    data: name or path of what to train it on instead of what its recipe names.
    folder: of the shelf; by default relviz's own for bundled models, else the user's.

    Raises
    ------
    UnknownName: no recipe of that name.
    MissingData: the training data is not on this machine.
    BadChoice: the model cannot be trained on the data.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    if data is not None and name in BUNDLED:
        raise BadChoice(f"'{name}' is bundled as trained on {RECIPES[name].data}.", "Leave the data to its recipe.")
    recipe = RECIPES[name] if data is None else replace(RECIPES[name], data=data)
    if folder is None:
        folder = settings.MODELS if name in BUNDLED else settings.models_dir()
    return train_by(recipe, folder=folder, progress=progress)


def train_by(recipe: Recipe, *, folder: Path, progress: Progress) -> ModelCard:
    """The same for any recipe."""
    data = load_dataset(recipe.data)
    kept = Resumable(settings.cache_dir() / "training" / f"{recipe.name}.safetensors", _run(recipe, data))
    network = _trained(recipe, data, kept, progress)
    facts: dict[str, Any] = {"side": data.shape[0], "classes": len(data.class_names), **_quality(network, data)}
    card = put_on_shelf(recipe, network.state_dict(), folder=folder, **facts)
    kept.remove()
    return card


def _run(recipe: Recipe, data: DataSet) -> str:
    """What decides every step of a training."""
    return fingerprint({}, __version__, torch.__version__, recipe, data.fingerprint)


def _trained(recipe: Recipe, data: DataSet, kept: Resumable, progress: Progress) -> Network:
    if recipe.reads_graphs:
        graph = data.samples
        if not isinstance(graph, Graph):
            raise BadChoice(f"'{recipe.name}' is trained on a graph, and '{data.name}' is none.", "Name a graph.")
        if not {0, 1, 2} <= set(graph.parts.tolist()):
            hint = "Give the graph a split with parts 0, 1 and 2."
            raise BadChoice(f"The graph '{data.name}' has no training, validation or test nodes.", hint)
        return train_on_graph(recipe, graph, data.label_tensor(), progress=progress, keeper=kept)
    inputs = data.side  # refuses what is no square grey image
    images, classes = load_training(recipe.data)
    if images.shape[1:] != (inputs, inputs):
        raise BadChoice(f"The training images of '{data.name}' have another size.", "Choose another data set.")
    if not recipe.batch <= len(images) or len(images) < recipe.anchors:
        least = max(recipe.batch, recipe.anchors)
        raise BadChoice(f"{len(images)} training images are too few for '{recipe.name}'.", f"Bring at least {least}.")
    return train(recipe, as_inputs(images), torch.from_numpy(classes), progress=progress, keeper=kept)


def _quality(network: Network, data: DataSet) -> dict[str, float | None]:
    """Accuracy, or error of reconstruction, on the held-out rows."""
    if isinstance(network, Autoencoder):
        return {"accuracy": None, "reconstruction_error": reconstruction_error(network, data.inputs()[data.held_out])}
    labels = data.label_tensor()
    if isinstance(network, Classifier):
        found = accuracy(network, data.inputs()[data.held_out], labels[data.held_out])
    else:
        graph: Any = data.samples
        found = graph_accuracy(network, graph, labels, data.held_out)
    return {"accuracy": found, "reconstruction_error": None}
