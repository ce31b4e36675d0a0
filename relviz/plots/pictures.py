"""Pictures in [0, 1] in, grey bytes and PNG files out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from relviz.errors import BadFile
from relviz.usecases.reconstruction import Reconstruction

_LABEL, _SCALE, _GAP = 240, 3, 4  # pixels: room for a row's words, side of a picture's pixel, between rows


def side_by_side(pictures: Tensor) -> NDArray[np.uint8]:
    """Pictures `m x s x s` in one row, `s x ms`; what leaves [0, 1] is cut.

    >>> import torch
    >>> side_by_side(torch.tensor([[[0.0]], [[2.0]]])).tolist()
    [[0, 255]]
    """
    return np.concatenate(list((255 * pictures.clamp(0, 1)).round().numpy().astype(np.uint8)), axis=1)


def png(image: NDArray[np.uint8]) -> bytes:
    """A grey image as a PNG file.

    >>> png(np.zeros((2, 2), np.uint8))[:4]
    b'\\x89PNG'
    """
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()


def save_grid(found: Reconstruction, path: Path) -> None:
    """Write the originals and what came of them, a row for each way with its name, as a PNG file.

    Raises
    ------
    BadFile: it cannot be written there.
    """
    rows = [("original", found.originals)]
    rows += [(each.label, each.pictures) for each in found.rebuilt if each.pictures is not None]
    m, height, width = (int(x) for x in found.originals.shape)
    step = height * _SCALE + _GAP
    canvas = Image.new("L", (_LABEL + m * width * _SCALE, len(rows) * step - _GAP), 255)
    words = ImageDraw.Draw(canvas)
    for place, (label, pictures) in enumerate(rows):
        strip = side_by_side(pictures).repeat(_SCALE, 0).repeat(_SCALE, 1)
        canvas.paste(Image.fromarray(strip), (_LABEL, place * step))
        words.text((_GAP, place * step + step // 2), label, fill=0, anchor="lm", font_size=14)
    try:
        canvas.save(path, "PNG")
    except OSError as error:
        raise BadFile(f"{path} cannot be written ({error.strerror}).", "Choose another file.") from error
