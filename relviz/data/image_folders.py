"""A folder of class folders of PNG and JPEG pictures; the ids are the pictures' paths.

`FOLDER#size=224` brings pictures of unlike sizes to one: the shorter side is resized, the middle is kept. A folder that
holds a folder for training and one for test or validation, by any of their usual names, is divided so.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz import settings
from relviz.data.arranging import arranged, class_labels, part_of
from relviz.data.dataset import DataSet
from relviz.data.files import check_options, check_size, whole_number
from relviz.errors import BadFile

SUFFIXES = (".png", ".jpg", ".jpeg")


def load(folder: Path, options: dict[str, str], *, name: str) -> DataSet:
    """The pictures of a folder; the names of the class folders are the classes.

    Raises
    ------
    BadFile: no class folders, an empty one, a file that is no picture, damaged, too large, or of another size.
    UnknownName, BadChoice: no such option, or not its value.
    """
    check_options(options, ("size",), folder)
    size = whole_number(options, "size")
    inside = _folders(folder)
    named = {part_of(path.name) for path in inside}
    divided = "train" in named and len(named) > 1 and named <= {"train", "validation", "test"}
    class_folders = [path for part in inside for path in _folders(part)] if divided else inside
    files = [file for path in class_folders for file in _files(path)]
    if not files:
        raise BadFile(f"{folder} holds no class folders.", "Make one folder for each class, with its pictures in it.")
    ids = [file.relative_to(folder).as_posix() for file in files]
    parts = [file.relative_to(folder).parts[0] for file in files]
    return arranged(
        stacked((opened(file, size) for file in files), ids, file=folder),
        name=name,
        file=folder,
        title=folder.resolve().name,
        labels=class_labels([file.parent.name for file in files], file=folder),
        ids=ids,
        parts=parts if divided else None,
        place=lambda i: ids[i],
    )


def opened(path: Path, size: int | None) -> NDArray[np.uint8]:
    """A picture file's pixels, uint8 `h x w` or `h x w x 3`.

    Raises
    ------
    BadFile: damaged, no PNG or JPEG, too large, transparent, or of more than 8 bits.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > settings.IMAGE_PIXELS:
                told = f"{path} has {image.width} x {image.height} pixels"
                raise BadFile(f"{told}, more than {settings.IMAGE_PIXELS:,}.", "Make it smaller.")
            return pixels(ImageOps.exif_transpose(image), size, file=path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        hint = "Bring PNG and JPEG pictures; hidden files are passed over."
        raise BadFile(f"{path} is damaged or no PNG or JPEG picture.", hint) from error


def pixels(image: Any, size: int | None, *, file: object) -> NDArray[np.uint8]:
    """Pixels of a Pillow picture, resized and cut to `size x size` where that is given.

    Raises
    ------
    BadFile: it is transparent or has more than 8 bits.
    """
    if image.mode not in ("1", "L", "P", "RGB", "CMYK", "YCbCr") or "transparency" in image.info:
        hint = "Save it in 8 bits, grey or colour, without transparency."
        raise BadFile(f"{file} has pixels of the kind {image.mode}, which cannot be shown as they are.", hint)
    from PIL import Image, ImageOps

    image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
    return np.asarray(image, np.uint8)


def stacked(images: Iterable[NDArray[np.uint8]], names: list[str], *, file: object) -> NDArray[np.uint8]:
    """Pictures of one size as one array; where any has colour, the grey ones get three equal channels.

    Raises
    ------
    BadFile: unlike sizes, or too many bytes in all.
    """
    found: list[NDArray[np.uint8]] = []
    taken = 0
    for image, name in zip(images, names, strict=True):
        found.append(image)
        taken += image.nbytes
        check_size(taken, file)
        if image.shape[:2] != found[0].shape[:2]:
            (h, w), (h0, w0) = image.shape[:2], found[0].shape[:2]
            unlike = f"pictures of unlike sizes: {names[0]} is {w0} x {h0}, {name} is {w} x {h}"
            raise BadFile(f"{file} has {unlike}.", "Ask for one size by ending its name with '#size=224'.")
    colour = any(image.ndim == 3 for image in found)
    check_size(len(found) * (found[0].shape[0] * found[0].shape[1] * (3 if colour else 1)) if found else 0, file)
    if colour:
        found = [np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image for image in found]
    return np.stack(found) if found else np.zeros((0, 1, 1), np.uint8)


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder in the order of their names; pictures beside them would belong to no class."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in entries:
        if path.suffix.lower() in SUFFIXES and path.is_file():
            raise BadFile(f"The picture {path} is in no class folder.", "Put it into the folder of its class.")
    return [path for path in entries if path.is_dir()]


def _files(folder: Path) -> list[Path]:
    """The pictures of one class in the order of their names."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not files:
        raise BadFile(f"The class folder {folder} is empty.", "Put pictures into it, or remove it.")
    for path in files:
        if not path.is_file() or path.suffix.lower() not in SUFFIXES:
            raise BadFile(f"{path} is no PNG or JPEG picture.", "A class folder holds pictures alone.")
    return files
