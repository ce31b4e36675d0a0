"""The model shelf: which models there are, and their networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from relviz import settings
from relviz.checkpoints.store import load_weights, save_weights
from relviz.errors import DamagedAsset
from relviz.models.training import Network, Recipe, network_of
from relviz.stamps import stamp

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ModelCard:
    """What the manifest records of one model that relviz trained.

    Attributes
    ----------
    side, classes: the input's side in pixels, or a node's number of features, and the number of classes it was trained
        on.
    accuracy: native accuracy on the held-out rows, in [0, 1]; None for an autoencoder.
    reconstruction_error: mean squared error per pixel on the held-out rows; None for a classifier.
    sha256: of the weights' file.
    folder: where that file lies.
    """

    recipe: Recipe
    side: int
    classes: int
    accuracy: float | None
    reconstruction_error: float | None
    sha256: str
    folder: Path = field(default=settings.MODELS, compare=False)

    @property
    def name(self) -> str:
        """The model's name on the shelf."""
        return self.recipe.name

    @property
    def width(self) -> int:
        """Latent width d."""
        return self.recipe.latent

    @property
    def classifies(self) -> bool:
        """Whether the model has a native head."""
        return not self.recipe.reconstructs

    @property
    def file(self) -> str:
        """Name of the weights' file."""
        return f"{self.name}.safetensors"


def shelf(folder: Path | None = None) -> dict[str, ModelCard]:
    """The models of a folder by name, in its manifest's order; by default the bundled ones and those trained here.

    Raises
    ------
    DamagedAsset: the manifest is missing or unreadable.
    """
    if folder is None:
        own = settings.models_dir()
        return shelf(settings.MODELS) | (shelf(own) if (own / MANIFEST).exists() else {})
    path = folder / MANIFEST
    return dict(_read_manifest(path, stamp(path)))


@lru_cache(maxsize=8)
def _read_manifest(path: Path, _stamp: object) -> dict[str, ModelCard]:
    """The cards of a manifest; read again when its stamp has changed."""
    try:
        entries = json.loads(path.read_text())["models"]
        made = [{**entry, "recipe": Recipe(**entry["recipe"]), "folder": path.parent} for entry in entries]
        cards = [ModelCard(**facts) for facts in made]
    except (OSError, ValueError, KeyError, TypeError) as error:
        of, hint = "the bundled models", "Make it again with 'make models'."
        if path.parent == settings.models_dir():
            of, hint = "your models", "Remove it, and train them again."
        raise DamagedAsset(f"The manifest of {of}, {path}, is missing or damaged.", hint) from error
    return {card.name: card for card in cards}


def load_model(card: ModelCard, folder: Path | None = None) -> Network:
    """The network of a card, in evaluation mode and frozen.

    Raises
    ------
    DamagedAsset: weights missing, damaged, or of another network.
    """
    rebuild = f"relviz train {card.name}"
    weights = load_weights((folder or card.folder) / card.file, sha256=card.sha256, rebuild=rebuild)
    network = network_of(card.recipe, inputs=card.side, classes=card.classes)
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
    cards[recipe.name] = ModelCard(recipe=recipe, sha256=sha256, folder=folder, **facts)
    written = folder / f"{MANIFEST}.new"
    entries = [{key: value for key, value in asdict(card).items() if key != "folder"} for card in cards.values()]
    written.write_text(json.dumps({"models": entries}, indent=1) + "\n")
    written.replace(folder / MANIFEST)
    return cards[recipe.name]
