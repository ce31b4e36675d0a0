"""A data set as relviz sees it: samples with ids, labels, and two fixed parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class DataSet:
    """Labelled grey images.

    The first `gallery_size` rows are the *gallery* (anchors and heads are fitted there), the others are
    *held out* (every measure and accuracy is computed there). A sample's id is its row.

    Attributes
    ----------
    images: uint8 `n x s x s`.
    labels: int64 `n`, classes 0 to c-1.
    class_names: c names.
    """

    name: str
    title: str
    licence: str
    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    class_names: tuple[str, ...]
    gallery_size: int

    def __len__(self) -> int:
        return len(self.images)

    @property
    def side(self) -> int:
        """Side of the square images in pixels."""
        return int(self.images.shape[1])

    @property
    def gallery(self) -> slice:
        """Rows that anchors and heads may use."""
        return slice(0, self.gallery_size)

    @property
    def held_out(self) -> slice:
        """Rows that results are computed on."""
        return slice(self.gallery_size, len(self.images))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of images, labels and split: equal data, equal fingerprint."""
        digest = hashlib.sha256(repr((self.images.shape, self.gallery_size)).encode())
        digest.update(np.ascontiguousarray(self.images).tobytes())
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()

    @property
    def chance(self) -> float:
        """Chance level: accuracy of always naming the commonest held-out class."""
        counts = np.bincount(self.labels[self.held_out])
        return float(counts.max() / counts.sum())

    def inputs(self) -> Tensor:
        """What encoders read: float32 `n x 1 x s x s` in [0, 1]."""
        return as_inputs(self.images)

    def label_tensor(self) -> Tensor:
        """Labels as int64 `n`."""
        return torch.from_numpy(self.labels)


def as_inputs(images: NDArray[np.uint8]) -> Tensor:
    """Grey images uint8 `n x s x s` as float32 `n x 1 x s x s` in [0, 1].

    >>> as_inputs(np.full((2, 8, 8), 255, np.uint8)).shape
    torch.Size([2, 1, 8, 8])
    """
    return torch.from_numpy(images).unsqueeze(1).float().div_(255)
