"""The idx files in which MNIST and its relatives come: a header of big-endian numbers, then bytes."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relviz.data.files import check_size, read_bytes
from relviz.errors import BadFile

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def find(folders: list[Path], names: tuple[str, ...] = FILES) -> list[Path] | None:
    """Those files, plain or gzipped, in the first folder that has all of them."""
    for folder in folders:
        found = [path for name in names for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
        if {path.name.removesuffix(".gz") for path in found} == set(names):
            return [next(path for path in found if path.name.removesuffix(".gz") == name) for name in names]
    return None


def read(images: Path, labels: Path, *, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 `n x h x w` and their labels from two files.

    Raises
    ------
    BadFile: empty, damaged, unlike numbers of images and labels, or a label that is no class.
    """
    pixels, marks = parse(read_bytes(images), images), parse(read_bytes(labels), labels).astype(np.int64)
    if pixels.ndim != 3 or marks.ndim != 1 or len(pixels) != len(marks):
        told = f"{len(pixels)} images in {images} and {len(marks)} labels in {labels}"
        raise BadFile(f"There are {told}.", "Both files must come from one data set.")
    for i in np.flatnonzero(marks >= classes):
        raise BadFile(f"{labels} gives image {i} the label {marks[i]}.", f"Labels go from 0 to {classes - 1}.")
    return pixels, marks


def parse(raw: bytes, path: Path) -> NDArray[np.uint8]:
    """The array of an idx file of bytes, which may be gzipped.

    Raises
    ------
    BadFile: damaged.
    """
    if raw[:2] == b"\x1f\x8b":
        check_size(int.from_bytes(raw[-4:], "little"), path)
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise BadFile(f"{path} is damaged ({error}).", "Copy or download it again.") from error
    axes = raw[3] if len(raw) > 3 else 0
    shape = [int.from_bytes(raw[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    begin = 4 + 4 * axes
    if raw[:3] != b"\x00\x00\x08" or not axes or len(raw) - begin != int(np.prod(shape, dtype=object)):
        raise BadFile(f"{path} is damaged or no idx file of bytes.", "Copy or download it again.")
    return np.frombuffer(raw, np.uint8, offset=begin).reshape(shape).copy()
