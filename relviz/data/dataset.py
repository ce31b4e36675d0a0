"""A data set as relviz sees it: samples of one kind with ids, perhaps labels, and two fixed parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relviz import settings
from relviz.errors import BadChoice

OWN_SPLIT = "as its source divides it"
PARTS = ("train", "validation", "test", "none")  # codes 0 to 3 of `Graph.parts`


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes of one graph, which an encoder reads as a whole.

    Attributes
    ----------
    features: float32 `n x f`.
    edges: int64 `m x 2`, each undirected edge once.
    parts: uint8 `n`, positions in `PARTS`: the nodes a network may be trained on, stopped by, and tested on.
    """

    features: NDArray[np.float32] = field(repr=False)
    edges: NDArray[np.int64] = field(repr=False)
    parts: NDArray[np.uint8] = field(repr=False)

    def __len__(self) -> int:
        return len(self.features)


Samples = NDArray[np.uint8] | NDArray[np.float32] | tuple[str, ...] | Graph


@dataclass(frozen=True, eq=False)
class DataSet:
    """Samples of one kind.

    The first `gallery_size` rows are the *gallery* (anchors and heads are fitted there), the others are
    *held out* (every measure and accuracy is computed there).

    Attributes
    ----------
    name: what `load_dataset` loads it by.
    samples: images uint8 `n x h x w` or `n x h x w x 3`, n texts, vectors float32 `n x d`, or a graph of n nodes.
    labels: int64 `n`, classes 0 to c-1; None where there are none.
    class_names: c names.
    ids: n unlike names; by default the row numbers.
    numbered: whether the ids are the row numbers of its source, which then names nothing.
    rows: how many samples its source has, of which these may be a part.
    split: how the held-out rows were chosen.
    notes: whole sentences, each on something that was assumed or left out when the data were read; pages and commands
        show them beside every result.
    """

    name: str
    title: str
    licence: str
    samples: Samples = field(repr=False)
    gallery_size: int
    labels: NDArray[np.int64] | None = field(default=None, repr=False)
    class_names: tuple[str, ...] = ()
    ids: tuple[str, ...] = field(default=(), repr=False)
    numbered: bool = False
    rows: int = 0
    split: str = OWN_SPLIT
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.ids:
            object.__setattr__(self, "ids", row_numbers(len(self)))
            object.__setattr__(self, "numbered", True)
        if not self.rows:
            object.__setattr__(self, "rows", len(self))

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def modality(self) -> str:
        """What the samples are: "image", "text", "vector" or "graph"."""
        if isinstance(self.samples, np.ndarray):
            return "vector" if self.samples.ndim == 2 else "image"
        return "graph" if isinstance(self.samples, Graph) else "text"

    @property
    def divided(self) -> bool:
        """Whether its source says which rows are held out."""
        return self.split.startswith(OWN_SPLIT)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The images.

        Raises
        ------
        BadChoice: the samples are no images.
        """
        if self.modality != "image":
            raise BadChoice(
                f"The data set '{self.name}' holds {self.modality} samples, not images.",
                "Choose a data set of images, or a model that reads such samples.",
            )
        return self.samples  # type: ignore[return-value]  # the modality says so

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: `h, w` or `h, w, 3` of an image, the width of a vector or of a node's features."""
        if isinstance(self.samples, Graph):
            return self.samples.features.shape[1:]
        return self.samples.shape[1:] if isinstance(self.samples, np.ndarray) else ()

    @property
    def side(self) -> int:
        """Side of square grey images in pixels.

        Raises
        ------
        BadChoice: the samples are none.
        """
        shape = self.images.shape[1:]
        if len(shape) != 2 or shape[0] != shape[1]:
            form = " x ".join(map(str, shape[:2])) + (" in colour" if len(shape) == 3 else "")
            raise BadChoice(
                f"The images of '{self.name}' are {form}; relviz's own models read square grey ones.",
                "Choose another model or data set.",
            )
        return int(shape[0])

    @property
    def gallery(self) -> slice:
        """Rows that anchors and heads may use."""
        return slice(0, self.gallery_size)

    @property
    def held_out(self) -> slice:
        """Rows that results are computed on."""
        return slice(self.gallery_size, len(self))

    @property
    def neighbours(self) -> int:
        """How many neighbours measures look at unless told otherwise: the usual number, or all if there are fewer."""
        return min(settings.NEIGHBOURS, len(self) - self.gallery_size - 1)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of samples, labels, ids and split: equal data, equal fingerprint. Titles and names do not count."""
        extent = (len(self), *self.shape) if self.modality == "image" else (self.modality, len(self), *self.shape)
        digest = hashlib.sha256(repr((extent, self.gallery_size)).encode())
        _feed(digest, self.samples)
        if self.labels is not None:
            digest.update(_bytes(self.labels))
        if self.labels is None or self.ids != row_numbers(len(self)):
            digest.update(repr((self.labels is None, self.ids)).encode())
        return digest.hexdigest()

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """What answers follow from: the fingerprint, and names of classes, which decide the order a head is read in."""
        return self.fingerprint, self.class_names

    @property
    def chance(self) -> float:
        """Chance level: accuracy of always naming the commonest held-out class.

        Raises
        ------
        BadChoice: there are no labels.
        """
        counts = torch.bincount(self.label_tensor()[self.held_out])
        return float(counts.max() / counts.sum(dtype=torch.float64))

    def inputs(self) -> Tensor:
        """What image encoders read: float32 `n x channels x h x w` in [0, 1].

        Raises
        ------
        BadChoice: the samples are no images.
        """
        return as_inputs(self.images)

    def label_tensor(self) -> Tensor:
        """Labels as int64 `n`.

        Raises
        ------
        BadChoice: there are none.
        """
        if self.labels is None:
            raise BadChoice(
                f"The data set '{self.name}' has no labels, which stitching and class-balanced anchors need.",
                "Choose a labelled data set; measures and maps work without labels.",
            )
        return torch.from_numpy(self.labels)


def row_numbers(n: int) -> tuple[str, ...]:
    """The ids of samples that have no others.

    >>> row_numbers(3)
    ('0', '1', '2')
    """
    return tuple(map(str, range(n)))


def as_inputs(images: NDArray[np.uint8]) -> Tensor:
    """Images uint8 `n x h x w` or `n x h x w x 3` as float32 `n x 1 x h x w` or `n x 3 x h x w` in [0, 1].

    >>> as_inputs(np.full((2, 8, 8), 255, np.uint8)).shape
    torch.Size([2, 1, 8, 8])
    >>> as_inputs(np.zeros((2, 8, 8, 3), np.uint8)).shape
    torch.Size([2, 3, 8, 8])
    """
    pixels = torch.from_numpy(images)
    channels_first = pixels.unsqueeze(1) if images.ndim == 3 else pixels.permute(0, 3, 1, 2)
    return channels_first.float().div_(255)


def _feed(digest: hashlib._Hash, samples: Samples) -> None:
    """Add the samples' content, in a form that two unlike sets never share."""
    if isinstance(samples, tuple):
        for text in samples:
            raw = text.encode()
            digest.update(len(raw).to_bytes(8, "little") + raw)
    elif isinstance(samples, Graph):
        for array in (samples.features, samples.edges, samples.parts):
            digest.update(repr(array.shape).encode())
            digest.update(_bytes(array))
    else:
        digest.update(_bytes(samples))


def _bytes(array: NDArray[Any]) -> memoryview:
    """An array's content, not copied where it lies in one piece."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
