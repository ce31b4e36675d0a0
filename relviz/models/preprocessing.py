"""What samples go through before a network reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relviz.data.dataset import DataSet, as_inputs
from relviz.errors import BadChoice

_PROBE = 32  # side of the images that a network of no fixed input is tried with
_LEAST, _MOST = 1e-6, 1e6  # pixels in [0, 1] that are scaled beyond these lose themselves in float32


class Reads(Protocol):
    """How a network reads samples; what it is called with are the `inputs`."""

    @property
    def modality(self) -> str:
        """The samples it reads, as `DataSet.modality`."""

    def misfit(self, data: DataSet) -> str | None:
        """Why it cannot read the data, as the end of a sentence that begins with the model, or None."""

    def inputs(self, data: DataSet, rows: slice) -> tuple[Tensor, ...]:
        """What the network is called with for these samples."""

    def example(self) -> tuple[Tensor, ...]:
        """Inputs of three samples made up."""


@dataclass(frozen=True)
class Vectors:
    """Vectors of one width, read as they are.

    Attributes
    ----------
    width: of the vectors.
    """

    width: int
    modality = "vector"

    def __post_init__(self) -> None:
        if self.width < 1:
            raise BadChoice(f"Vectors cannot be {self.width} numbers wide.", "Name the width of what it reads.")

    def misfit(self, data: DataSet) -> str | None:
        """As `Reads`."""
        if data.modality != "vector":
            return f"reads vectors, and '{data.name}' holds {data.modality} samples"
        if data.shape != (self.width,):
            return f"reads vectors of {self.width} numbers, and those of '{data.name}' have {data.shape[0]}"
        return None

    def inputs(self, data: DataSet, rows: slice) -> tuple[Tensor, ...]:
        """As `Reads`."""
        samples: Any = data.samples
        return (torch.from_numpy(samples[rows]),)

    def example(self) -> tuple[Tensor, ...]:
        """As `Reads`."""
        return (torch.rand(3, self.width, generator=torch.Generator().manual_seed(0)),)


@dataclass(frozen=True)
class Pictures:
    """Resizing, cropping and scaling of images; grey ones are repeated for a network that reads colour.

    Attributes
    ----------
    channels: 1 or 3, that the network reads.
    size: side of the square that it reads; None leaves images as they are.
    resize: length of the shorter side before the square is cut from the middle; None is `size`.
    mean, std: subtracted from, and then divided out of, values in [0, 1]; one number or one per channel.
    bicubic: whether images are resized by bicubic, else by bilinear interpolation, both against aliasing.
    """

    channels: int = 3
    size: int | None = None
    resize: int | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    bicubic: bool = False
    modality = "image"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise BadChoice(f"Images of {self.channels} channels cannot be read.", "Choose 1, grey, or 3, colour.")
        for side in (self.size, self.resize):
            if side is not None and not 1 <= side <= 2048:
                raise BadChoice(f"Images cannot be {side} pixels wide.", "Choose 1 to 2048.")
        for what, given in (("mean", self.mean), ("std", self.std)):
            if len(given) not in (1, self.channels):
                raise BadChoice(f"The {what} has {len(given)} numbers.", f"Give one, or {self.channels}.")
        for number in self.mean:
            if not abs(number) <= _MOST:
                raise BadChoice(f"The mean {number:g} cannot be subtracted from pixels.", "Give numbers in [0, 1].")
        for number in self.std:
            if not _LEAST <= number <= _MOST:
                hint = f"Give numbers from {_LEAST:g} to {_MOST:g}; pixels lie in [0, 1]."
                raise BadChoice(f"The std {number:g} cannot be divided by.", hint)

    def misfit(self, data: DataSet) -> str | None:
        """As `Reads`."""
        if data.modality != "image":
            return f"reads images, and '{data.name}' holds {data.modality} samples"
        if self.channels == 1 and len(data.shape) == 3:
            return f"reads grey images, and those of '{data.name}' are in colour"
        return None

    def inputs(self, data: DataSet, rows: slice) -> tuple[Tensor, ...]:
        """As `Reads`."""
        return (self(data.images[rows]),)

    def example(self) -> tuple[Tensor, ...]:
        """As `Reads`."""
        side = self.size or _PROBE
        return (torch.rand(3, self.channels, side, side, generator=torch.Generator().manual_seed(0)),)

    def __call__(self, images: NDArray[np.uint8]) -> Tensor:
        """Images uint8 `b x h x w` or `b x h x w x 3` as the network reads them.

        >>> Pictures(channels=3, size=8)(np.zeros((2, 6, 6), np.uint8)).shape
        torch.Size([2, 3, 8, 8])
        """
        pixels = as_inputs(images)
        if pixels.shape[1] != self.channels:
            pixels = pixels.expand(-1, self.channels, -1, -1)
        if self.size is not None:
            pixels = _cut(self._resized(pixels, self.resize or self.size), self.size)
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return (pixels - mean) / std

    def _resized(self, pixels: Tensor, shorter: int) -> Tensor:
        height, width = pixels.shape[2:]
        if min(height, width) == shorter:
            return pixels
        scale = shorter / min(height, width)
        sides = (max(shorter, round(height * scale)), max(shorter, round(width * scale)))
        mode = "bicubic" if self.bicubic else "bilinear"
        found = torch.nn.functional.interpolate(pixels, sides, mode=mode, antialias=True, align_corners=False)
        return found.clamp_(0, 1)  # bicubic interpolation overshoots


def _cut(pixels: Tensor, side: int) -> Tensor:
    """The middle square, with black around where the image is smaller."""
    height, width = pixels.shape[2:]
    down, right = (height - side) // 2, (width - side) // 2
    if min(down, right) < 0:
        edges = [-right, side - width + right, -down, side - height + down]
        return torch.nn.functional.pad(pixels, edges)
    return pixels[:, :, down : down + side, right : right + side]
