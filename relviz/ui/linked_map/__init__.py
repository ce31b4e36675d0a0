"""The linked maps: one element that draws several views of the same rows, linked in the browser."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from relviz.errors import BadChoice
from relviz.plots.palette import CLASSES, SEQUENTIAL
from relviz.ui.linked_map.parts import (
    Classes,
    Column,
    Numbers,
    Pictures,
    Texts,
    View,
    offer_coordinates,
    offer_values,
    windows,
)

__all__ = [
    "Classes", "Column", "MapState", "Morph", "Numbers", "Pictures", "Selection", "Texts", "View", "linked_map",
]  # fmt: skip


@cache
def _element() -> Any:
    """The element's mounting command; Streamlit finds the files only once its runtime is there."""
    return st.components.v2.component("relviz.linked_map", js="linked_map.js", css="linked_map.css")


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows that Python wants selected.

    Attributes
    ----------
    rows: bool `n`.
    turn: from 1; the browser takes a selection once, so a higher number sets it anew over what the visitor has chosen.
    """

    rows: NDArray[np.bool_]
    turn: int


@dataclass(frozen=True)
class Morph:
    """Views that turn into others: `pairs` of positions in the list of views, `names` of the two ends."""

    pairs: Sequence[tuple[int, int]]
    names: tuple[str, str]


@dataclass(frozen=True, eq=False)
class MapState:
    """What the visitor has done.

    Attributes
    ----------
    selected: bool `n`.
    clicked: the row that was clicked last, if any.
    """

    selected: NDArray[np.bool_]
    clicked: int | None


def linked_map(
    views: Sequence[View],
    *,
    ids: NDArray[np.integer] | Sequence[str],
    columns: Sequence[Column],
    colour: str,
    key: str,
    height: int,
    card: Sequence[str] = (),
    pictures: Pictures | None = None,
    selection: Selection | None = None,
    morph: Morph | None = None,
    overlay: tuple[int, int] | None = None,
) -> MapState:
    """Draw views of the same n rows as linked maps; returns what is selected and clicked.

    Hovering, selecting, filtering, colouring, searching, zooming, morphing and exporting happen in the browser. Only a
    new selection or click runs the page again. Data travel once: a browser keeps what it has fetched, by content.

    Parameters
    ----------
    ids: one of each row, shown, searched and exported; numbers below 2**32 or texts. New ids clear the selection.
    columns: what is known of each row; any of classes or numbers can colour.
    colour: name of the column that colours at first; when it changes, the maps follow.
    key: of the element, also the name of exported files.
    height: in pixels, with controls and legend, where the window is 800 high; the maps take what a taller one has
        more, and a narrow one stacks them.
    card: names of the columns that the hover card shows, besides the first column of classes.
    overlay: positions of two views of one frame that can be laid over each other.

    Raises
    ------
    BadChoice: parts that do not fit together.
    """
    _check(views, ids, columns, colour, pictures)
    message = {
        "name": key,
        "rows": len(ids),
        "height": height,
        "ids": _offer_ids(ids),
        "views": _offer_views(views),
        "columns": [{"name": one.name, "kind": one.kind, "key": one.offer()} for one in columns],
        "colour": colour,
        "card": list(card),
        "pictures": pictures.offer() if pictures is not None else None,
        "selection": _offer_selection(selection),
        "morph": {"pairs": [list(pair) for pair in morph.pairs], "names": list(morph.names)} if morph else None,
        "overlay": list(overlay) if overlay else None,
        "palette": {"classes": list(CLASSES), "sequence": _sequence()},
    }
    events = {f"on_{name}_change": _nothing for name in ("selection", "clicked", "lost")}
    state = _element()(key=key, data=message, **events)
    return _read(state, ids=str(message["ids"]), n=len(ids), asked=selection)


def _nothing() -> None:
    """Streamlit keeps only the states that somebody listens to."""


def _check(
    views: Sequence[View], ids: Sequence[Any] | NDArray[Any], columns: Sequence[Column], colour: str, pictures: Any
) -> None:
    if not views or not len(ids):
        raise BadChoice("There is nothing to map.", "Choose a data set with held-out samples.")
    lengths = {f"the map '{view.title}'": len(view.coordinates) for view in views}
    lengths |= {f"the column '{column.name}'": len(column) for column in columns}
    lengths |= {"the pictures": len(pictures)} if pictures is not None else {}
    for what, length in lengths.items():
        if length != len(ids):
            raise BadChoice(f"There are {len(ids):,} ids, but {what} has {length:,} rows.", "Give one row for each id.")
    if colour not in [column.name for column in columns if not isinstance(column, Texts)]:
        raise BadChoice(f"No column of classes or numbers is called '{colour}'.", "Colour by a column of the map.")


def _offer_views(views: Sequence[View]) -> list[dict[str, str]]:
    return [
        {
            "title": view.title,
            "badge": view.badge,
            "hue": view.hue,
            "key": offer_coordinates(view.coordinates, window),
            "anchors": offer_coordinates(view.anchors, window),
        }
        for view, window in zip(views, windows(views), strict=True)
    ]


def _offer_ids(ids: NDArray[np.integer] | Sequence[str]) -> str:
    return offer_values(ids.astype(np.uint32) if isinstance(ids, np.ndarray) else ids)


def _offer_selection(selection: Selection | None) -> dict[str, Any] | None:
    if selection is None:
        return None
    return {"key": offer_values(np.packbits(selection.rows, bitorder="little")), "turn": selection.turn}


@cache
def _sequence() -> list[str]:
    from plotly.colors import sample_colorscale, unlabel_rgb

    sampled = sample_colorscale(SEQUENTIAL, [step / 63 for step in range(64)])
    return ["#" + "".join(f"{round(part):02x}" for part in unlabel_rgb(colour)) for colour in sampled]


def _read(state: Mapping[str, Any], *, ids: str, n: int, asked: Selection | None) -> MapState:
    """What the browser has sent, unless it speaks of other rows or of a turn that Python has taken back."""
    sent = state.get("selection") or {}
    late = sent.get("ids") != ids or (asked is not None and sent.get("turn", 0) < asked.turn)
    if late:
        selected = asked.rows.copy() if asked is not None else np.zeros(n, bool)
    else:
        selected = decode(sent.get("bits", ""), n)
    clicked = state.get("clicked") or {}
    row = clicked.get("row", -1) if clicked.get("ids") == ids else -1
    return MapState(selected, row if isinstance(row, int) and 0 <= row < n else None)


def decode(text: str, n: int) -> NDArray[np.bool_]:
    """A selection of n rows as the browser sends it: one bit a row, least significant first, deflated, as base64.

    Raises
    ------
    BadChoice: the text is no such selection.

    >>> decode(base64.b64encode(zlib.compress(bytes([0b101]))).decode(), 3).tolist()
    [True, False, True]
    """
    size = -(-n // 8)
    try:
        bits = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise BadChoice("The browser sent a selection that cannot be read.", "Reload the page.") from error
    if len(bits) != size:
        raise BadChoice(f"The browser sent a selection of other than {n:,} rows.", "Reload the page.")
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=n, bitorder="little").astype(bool)
