"""The model shelf: which models there are, and their networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from relviz import settings
from relviz.checkpoints.store import load_weights, save_weights
from relviz.errors import DamagedAsset, UnknownName
from relviz.models.architectures import Autoencoder, Classifier, build
from relviz.models.training import Recipe

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ModelCard:
    """What the manifest records of one bundled model.

    Attributes
    ----------
    side, classes: the input's side in pixels and the number of classes it was trained on.
    accuracy: native accuracy on the held-out rows, in [0, 1]; None for an autoencoder.
    reconstruction_error: mean squared error per pixel on the held-out rows; None for a classifier.
    sha256: of the weights' file.
    """

    recipe: Recipe
    side: int
    classes: int
    accuracy: float | None
    reconstruction_error: float | None
    sha256: str

    @property
    def name(self) -> str:
        """The model's name on the shelf."""
        return self.recipe.name

    @property
    def width(self) -> int:
        """Latent width d."""
        return self.recipe.width

    @property
    def classifies(self) -> bool:
        """Whether the model has a native head."""
        return not self.recipe.reconstructs

    @property
    def file(self) -> str:
        """Name of the weights' file."""
        return f"{self.name}.safetensors"


def shelf(folder: Path = settings.MODELS) -> dict[str, ModelCard]:
    """All bundled models by name, in the manifest's order.

    Raises
    ------
    DamagedAsset: the manifest is missing or unreadable.
    """
    path = folder / MANIFEST
    try:
        entries = json.loads(path.read_text())["models"]
        cards = [ModelCard(**{**entry, "recipe": Recipe(**entry["recipe"])}) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedAsset(
            f"The manifest of the bundled models, {path}, is missing or damaged.", "Make it again with 'make models'."
        ) from error
    return {card.name: card for card in cards}


def models_for(side: int, folder: Path = settings.MODELS) -> dict[str, ModelCard]:
    """The models whose input fits images of that side."""
    return {name: card for name, card in shelf(folder).items() if card.side == side}


def find_model(name: str, folder: Path = settings.MODELS) -> ModelCard:
    """The card of one model.

    Raises
    ------
    UnknownName: not on the shelf.
    """
    cards = shelf(folder)
    if name not in cards:
        raise UnknownName("model", name, cards)
    return cards[name]


@lru_cache(maxsize=32)
def load_model(card: ModelCard, folder: Path = settings.MODELS) -> Classifier | Autoencoder:
    """The network of a card, in evaluation mode and frozen.

    Raises
    ------
    DamagedAsset: weights missing, damaged, or of another network.
    """
    rebuild = f"relviz train {card.name}"
    weights = load_weights(folder / card.file, sha256=card.sha256, rebuild=rebuild)
    network = build(card.recipe.architecture, size=card.side, width=card.width, classes=card.classes)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def put_on_shelf(
    recipe: Recipe, weights: Mapping[str, Tensor], *, folder: Path = settings.MODELS, **facts: Any
) -> ModelCard:
    """Save a trained network and record it in the manifest, replacing an entry of the same name.

    `facts` are the other fields of `ModelCard` (side, classes, accuracy, reconstruction_error).
    """
    cards = shelf(folder) if (folder / MANIFEST).exists() else {}
    sha256 = save_weights(folder / f"{recipe.name}.safetensors", weights)
    cards[recipe.name] = ModelCard(recipe=recipe, sha256=sha256, **facts)
    written = folder / f"{MANIFEST}.new"
    written.write_text(json.dumps({"models": [asdict(card) for card in cards.values()]}, indent=1) + "\n")
    written.replace(folder / MANIFEST)
    return cards[recipe.name]
