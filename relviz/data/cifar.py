"""CIFAR-10 and CIFAR-100 from their python batches, which are pickles but not unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz import settings
from relviz.data.arranging import arranged, class_labels
from relviz.data.dataset import DataSet
from relviz.data.plain_pickle import read_plain_pickle
from relviz.errors import BadFile, MissingData

# Folder, training files, test file, file and name of the class names, name of the labels.
_CIFAR10 = ("cifar-10-batches-py", tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")
_CIFAR100 = ("cifar-100-python", ("train",), "test", "meta")


def load_10() -> DataSet:
    """CIFAR-10: 50,000 training images as the gallery, 10,000 test images held out.

    Raises
    ------
    MissingData, BadFile: no data folder has it, or a file is damaged.
    """
    return _load("cifar10", *_CIFAR10, kind="label", title="CIFAR-10")


def load_100() -> DataSet:
    """CIFAR-100 by its 100 fine classes, divided as CIFAR-10.

    Raises
    ------
    MissingData, BadFile: no data folder has it, or a file is damaged.
    """
    return _load("cifar100", *_CIFAR100, kind="fine_label", title="CIFAR-100")


def _load(name: str, folder: str, train: tuple[str, ...], test: str, meta: str, *, kind: str, title: str) -> DataSet:
    where = next((root / folder for root in settings.data_dirs() if (root / folder).is_dir()), None)
    if where is None:
        raise MissingData(
            f"The data set {title} is not on this machine.",
            f"Unpack its python version to {settings.data_dirs()[0] / folder}, "
            "or allow the download with RELVIZ_DOWNLOAD=1.",
        )
    batches = [_batch(where / file, f"{kind}s") for file in (*train, test)]
    names = _entry(read_plain_pickle(where / meta), f"{kind}_names", where / meta)
    labels = [label for _, found in batches for label in found]
    held_out = np.arange(len(labels)) >= len(labels) - len(batches[-1][1])
    return arranged(
        np.concatenate([images for images, _ in batches]),
        name=name,
        file=where,
        title=title,
        labels=class_labels(labels, names=names, file=where),
        held_out=held_out,
    )


def _batch(path: Path, labels: str) -> tuple[NDArray[np.uint8], list[Any]]:
    """Images `n x 32 x 32 x 3` and labels of one file, which holds the channels one after the other."""
    content = read_plain_pickle(path)
    pixels, found = _entry(content, "data", path), _entry(content, labels, path)
    form = getattr(pixels, "shape", None)
    if form != (len(found), 3072) or pixels.dtype != np.uint8:
        raise BadFile(f"{path} has {len(found)} labels and images in the form {form}.", "Unpack the archive again.")
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), found


def _entry(content: Any, name: str, path: Path) -> Any:
    if isinstance(content, dict):
        for key in (name, name.encode()):
            if key in content:
                return content[key]
    raise BadFile(f"{path} has no {name}.", "Unpack the archive again.")
