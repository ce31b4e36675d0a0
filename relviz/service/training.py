"""Use case: train a bundled model by its recorded recipe and put it on the shelf."""

from __future__ import annotations

from pathlib import Path

import torch

from relviz import settings
from relviz.data.catalogue import load_dataset, load_training
from relviz.data.dataset import as_inputs
from relviz.errors import UnknownName
from relviz.models.architectures import Autoencoder, Classifier
from relviz.models.recipes import RECIPES
from relviz.models.shelf import ModelCard, put_on_shelf
from relviz.models.training import Progress, accuracy, reconstruction_error, train


def train_model(name: str, *, folder: Path = settings.MODELS, progress: Progress) -> ModelCard:
    """Train the model of that name from scratch, measure it on the held-out rows and save it.

    Raises
    ------
    UnknownName: no recipe of that name.
    MissingData: the training data is not on this machine.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    recipe = RECIPES[name]
    images, classes = load_training(recipe.data)
    network = train(recipe, as_inputs(images), torch.from_numpy(classes), progress=progress)
    data = load_dataset(recipe.data)
    seen, labels = data.inputs()[data.held_out], data.label_tensor()[data.held_out]
    return put_on_shelf(
        recipe,
        network.state_dict(),
        folder=folder,
        side=data.side,
        classes=len(data.class_names),
        accuracy=accuracy(network, seen, labels) if isinstance(network, Classifier) else None,
        reconstruction_error=reconstruction_error(network, seen) if isinstance(network, Autoencoder) else None,
    )
