"""The data sets relviz knows by name. A new one is one loader and one line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from relviz.data import digits, fashion_mnist
from relviz.data.dataset import DataSet
from relviz.errors import UnknownName

DATASETS: dict[str, Callable[[], DataSet]] = {
    "fashion-mnist": fashion_mnist.load,
    "digits": digits.load,
}


@lru_cache(maxsize=4)
def load_dataset(name: str) -> DataSet:
    """The data set of that name.

    Raises
    ------
    UnknownName: not in `DATASETS`.

    >>> len(load_dataset("digits"))
    1797
    """
    if name not in DATASETS:
        raise UnknownName("data set", name, DATASETS)
    return DATASETS[name]()


def load_training(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels that the bundled models of a data set are trained on, none of them held out."""
    if name == "fashion-mnist":
        return fashion_mnist.load_training()
    data = load_dataset(name)
    return data.images[data.gallery], data.labels[data.gallery]
