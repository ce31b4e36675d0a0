"""Data sets of torchvision by name, and the downloads of the ones that relviz reads itself."""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np

from relviz import settings
from relviz.data.arranging import arranged, class_labels
from relviz.data.dataset import DataSet
from relviz.data.files import check_options, whole_number
from relviz.data.image_folders import pixels, stacked
from relviz.errors import BadFile, MissingData, UnknownName, one_line
from relviz.packages import torchvision


def load(kind: str, options: dict[str, str], *, name: str) -> DataSet:
    """The training part of torchvision's data set of that kind as the gallery, the test part held out.

    Raises
    ------
    MissingPackage: torchvision is not installed.
    UnknownName, BadChoice: torchvision has no such set of images in two parts, or no such option, or not its value.
    MissingData: it is on no data folder.
    BadFile: its pictures have unlike sizes.
    """
    check_options(options, ("size",), Path(kind))
    size = whole_number(options, "size")
    train, test = _parts(kind)
    file, names = f"torchvision's {kind}", tuple(map(str, getattr(train, "classes", ())))
    items = [(part, i) for part in (train, test) for i in range(len(part))]
    labels: list[Any] = []

    def picture(part: Any, i: int) -> Any:
        image, label = part[i]
        labels.append(label.item() if hasattr(label, "item") else label)
        if not hasattr(image, "convert"):
            raise BadFile(f"{file} holds something else than pictures.", "Choose another one.")
        return pixels(image, size, file=file)

    samples = stacked((picture(*item) for item in items), [f"picture {i}" for i in range(len(items))], file=file)
    return arranged(
        samples,
        name=name,
        file=file,
        title=f"{kind} (torchvision)",
        labels=class_labels(labels, names=names, file=file),
        held_out=np.arange(len(items)) >= len(train),
    )


def fetch(kind: str) -> None:
    """Download a data set to the first data folder, in torchvision's layout.

    Raises
    ------
    MissingPackage, UnknownName, MissingData: torchvision is not installed, has no such set, or the download failed.
    """
    constructor = _constructor(kind)
    if "download" not in inspect.signature(constructor).parameters:
        raise MissingData(f"torchvision cannot download {kind}.", "Follow the instructions of its authors.")
    for part in (True, False):
        _open(constructor, kind, settings.data_dirs()[0], train=part, download=True)


def _parts(kind: str) -> tuple[Any, Any]:
    constructor = _constructor(kind)
    *others, last = settings.data_dirs()
    for root in others:
        with contextlib.suppress(MissingData):
            return _open(constructor, kind, root, train=True), _open(constructor, kind, root, train=False)
    return _open(constructor, kind, last, train=True), _open(constructor, kind, last, train=False)


def _constructor(kind: str) -> Any:
    module = torchvision("datasets", purpose="torchvision's data sets")
    found = {name: getattr(module, name) for name in module.__all__ if name[0].isupper()}
    known = {name for name, one in found.items() if {"train", "split"} & set(inspect.signature(one).parameters)}
    if kind not in known:
        raise UnknownName("torchvision data set of pictures for training and test", kind, known)
    return found[kind]


def _open(constructor: Any, kind: str, root: Path, *, train: bool, download: bool = False) -> Any:
    known = inspect.signature(constructor).parameters
    part = {"train": train} if "train" in known else {"split": "train" if train else "test"}
    try:
        return constructor(str(root), **part, **({"download": True} if download else {}))
    except (RuntimeError, OSError, ValueError, TypeError, ImportError) as error:
        reason = one_line(error)
        raise MissingData(
            f"torchvision's {kind} is not in {root} or cannot be read ({reason}).",
            "Put it there in torchvision's layout, or allow the download with RELVIZ_DOWNLOAD=1.",
        ) from error
