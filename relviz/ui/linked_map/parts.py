"""What a linked map is made of: views, columns, pictures. Each knows how to offer itself to browsers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.errors import BadChoice
from relviz.ui.linked_map.protocol import pack, pack_coordinates
from relviz.ui.linked_map.store import STORE

_PER_PAGE = 256  # pictures on one page: 16 in a row
_IN_A_ROW = 16
_MARGIN = 0.03  # of a window on each side, so that no point sits on a map's frame


@dataclass(frozen=True, eq=False)
class View:
    """One map.

    Attributes
    ----------
    title, badge: what stands above the map, left and right.
    coordinates: floats `n x 2`.
    anchors: floats `k x 2` in the same units, drawn as diamonds: points that are none of the rows.
    hue: the frame's colour, `#rrggbb`.
    frame: views of one frame show the same window, so that equal places mean equal coordinates.
    """

    title: str
    badge: str
    coordinates: NDArray[np.floating]
    hue: str
    frame: str
    anchors: NDArray[np.floating] = field(default_factory=lambda: np.empty((0, 2), np.float32))


@dataclass(frozen=True, eq=False)
class Classes:
    """A column of classes: `codes`, integers `n`, are positions in `names`."""

    name: str
    codes: NDArray[np.integer]
    names: Sequence[str]

    kind = "classes"

    def __len__(self) -> int:
        return len(self.codes)

    def offer(self) -> str:
        """The key of this column's parcel."""
        if len(self) and not (0 <= int(self.codes.min()) and int(self.codes.max()) < min(len(self.names), 65_535)):
            raise BadChoice(
                f"The column '{self.name}' has codes outside its {len(self.names)} names.", "Codes count from 0."
            )
        return offer_values(self.codes.astype(np.uint16), names=list(self.names))


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers, floats `n`; what is not finite is drawn grey and written as a dash."""

    name: str
    values: NDArray[np.floating]

    kind = "numbers"

    def __len__(self) -> int:
        return len(self.values)

    def offer(self) -> str:
        """The key of this column's parcel."""
        values = self.values.astype(np.float32)
        values[~np.isfinite(values)] = np.nan
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        return offer_values(values, low=low, high=high)


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts, for the card, the table and the search; it cannot colour."""

    name: str
    values: Sequence[str]

    kind = "texts"

    def __len__(self) -> int:
        return len(self.values)

    def offer(self) -> str:
        """The key of this column's parcel."""
        return offer_values(self.values)


Column = Classes | Numbers | Texts


@dataclass(frozen=True, eq=False)
class Pictures:
    """A thumbnail for every row.

    Attributes
    ----------
    pixels: uint8 `n x height x width` (grey) or `n x height x width x 3`.
    digest: names the content, as the data set's checksum does; pixels are too many to read at every rerun.
    """

    pixels: NDArray[np.uint8]
    digest: str

    def __len__(self) -> int:
        return len(self.pixels)

    def offer(self) -> dict[str, Any]:
        """Where each row's picture is: on which page, and where there. Pages are drawn when somebody asks for them."""
        pages = [
            STORE.offer(
                [b"page", self.digest.encode(), str((first, self.pixels.shape)).encode()],
                partial(_page, self.pixels[first : first + _PER_PAGE]),
                weight=self.pixels[first : first + _PER_PAGE].nbytes,
            )
            for first in range(0, len(self), _PER_PAGE)
        ]
        height, width = self.pixels.shape[1:3]
        return {"pages": pages, "width": width, "height": height, "columns": _IN_A_ROW, "perPage": _PER_PAGE}


def _page(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    n, height, width = pixels.shape[:3]
    lines = -(-n // _IN_A_ROW)
    sheet = np.zeros((lines * _IN_A_ROW, *pixels.shape[1:]), np.uint8)
    sheet[:n] = pixels
    sheet = sheet.reshape(lines, _IN_A_ROW, *pixels.shape[1:]).swapaxes(1, 2)
    drawn = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(sheet).reshape(lines * height, _IN_A_ROW * width, *pixels.shape[3:])).save(
        drawn, "PNG", compress_level=1
    )
    return drawn.getvalue()


def offer_values(values: NDArray[Any] | Sequence[str], **meta: object) -> str:
    """The key of a parcel with one column called `values`."""
    if isinstance(values, np.ndarray):
        return STORE.offer(
            [values.dtype.str.encode(), values.tobytes(), repr(meta).encode()],
            partial(pack, {"values": values}, **meta),
            weight=values.nbytes,
        )
    body = pack({"values": values}, **meta)
    return STORE.offer([body], lambda: body, weight=len(body))


def offer_coordinates(values: NDArray[np.floating], window: tuple[float, float, float, float]) -> str:
    """The key of coordinates `n x 2` as shares of a window."""
    return STORE.offer(
        [values.dtype.str.encode(), values.tobytes(), repr(window).encode()],
        partial(pack_coordinates, values, window),
        weight=values.nbytes,
    )


def windows(views: Sequence[View]) -> list[tuple[float, float, float, float]]:
    """The window of each view: left, bottom, width, height around everything in its frame.

    Raises
    ------
    BadChoice: a coordinate is not finite.
    """
    found = {}
    for frame in {view.frame for view in views}:
        ends = np.concatenate([_ends(view) for view in views if view.frame == frame])
        low, high = ends.min(0), ends.max(0)
        size = np.where(high > low, high - low, 1.0)
        left, bottom = low - _MARGIN * size
        width, height = (1 + 2 * _MARGIN) * size
        found[frame] = (float(left), float(bottom), float(width), float(height))
    return [found[view.frame] for view in views]


def _ends(view: View) -> NDArray[np.float64]:
    # Column by column: a reduction along the first of two axes takes a hundred times as long.
    x, y = view.coordinates[:, 0], view.coordinates[:, 1]
    ends = np.array([[x.min(), y.min()], [x.max(), y.max()]], np.float64)
    if not (np.isfinite(ends).all() and np.isfinite(view.anchors).all()):
        raise BadChoice(f"The map '{view.title}' has coordinates that are not finite.", "Choose another reduction.")
    return ends
