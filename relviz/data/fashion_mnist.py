"""Fashion-MNIST: the bundled official test images, and the training images where the machine has them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relviz import settings
from relviz.data import idx
from relviz.data.dataset import DataSet
from relviz.errors import DamagedAsset, MissingData

CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_BUNDLED = {  # sha256 of the files in assets
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def load() -> DataSet:
    """The bundled 10,000 test images; rows 0 to 7999 are the gallery."""
    images, labels = (_bundled(name) for name in _BUNDLED)
    return DataSet(
        name="fashion-mnist",
        title="Fashion-MNIST (official test images)",
        licence="MIT, Zalando SE",
        samples=images,
        labels=labels.astype(np.int64),
        class_names=CLASSES,
        gallery_size=8000,
    )


def load_training() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The official 60,000 training images, uint8 `n x 28 x 28`, and labels.

    Looked for in the folder that `RELVIZ_DATA` names, in torchvision's layout, and where Debian's package puts them.

    Raises
    ------
    MissingData: when no folder has them.
    BadFile: a file is damaged.
    """
    folders = [place for root in settings.data_dirs() for place in (root, root / "FashionMNIST" / "raw")]
    found = idx.find([*folders, _DEBIAN], idx.FILES[:2])
    if found is not None:
        return idx.read(*found, classes=len(CLASSES))
    raise MissingData(
        "The Fashion-MNIST training images are not on this machine.",
        "Install Debian's package dataset-fashion-mnist, or name the folder of the official .gz files in RELVIZ_DATA.",
    )


def _bundled(name: str) -> NDArray[np.uint8]:
    path = settings.DATA / "fashion-mnist" / name
    raw = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != _BUNDLED[name]:
        raise DamagedAsset(
            f"The bundled data file {path} is {'damaged' if raw else 'missing'}.",
            f"Restore it with 'git checkout -- {path.relative_to(settings.ASSETS.parent)}'.",
        )
    return idx.parse(raw, path)
