"""Parcels: how columns travel to the browser. `frontend/src/protocol.ts` describes the format and reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FINE = 65_536  # rows up to which coordinates travel as floats; beyond, 16-bit steps are finer than any screen shows
_TYPES = {"|u1": "u8", "<u2": "u16", "<u4": "u32", "<f4": "f32"}


def pack(columns: Mapping[str, NDArray[np.generic] | Sequence[str]], **meta: object) -> bytes:
    """A parcel of named columns: arrays of uint8, uint16, uint32 or float32, and sequences of text.

    >>> parcel = pack({"values": np.arange(3, dtype=np.uint8)}, names=["a"])
    >>> parcel[:4], parcel[-8:]
    (b'RVM1', b'\\x00\\x01\\x02\\x00\\x00\\x00\\x00\\x00')
    """
    places, blocks, at = [], [], 0
    for name, values in columns.items():
        kind, count, block = _column(values)
        places.append({"name": name, "type": kind, "at": at, "count": count})
        block += bytes(-len(block) % 8)
        blocks.append(block)
        at += len(block)
    header = json.dumps({"meta": meta, "columns": places}, allow_nan=False).encode()
    header += b" " * (-len(header) % 8)
    return b"RVM1" + len(header).to_bytes(4, "little") + header + b"".join(blocks)


def _column(values: NDArray[np.generic] | Sequence[str]) -> tuple[str, int, bytes]:
    if isinstance(values, np.ndarray):
        return _TYPES[values.dtype.newbyteorder("<").str], len(values), values.tobytes()
    block = json.dumps(list(values), ensure_ascii=False).encode()
    return "json", len(block), block


def pack_coordinates(coordinates: NDArray[np.floating], window: tuple[float, float, float, float]) -> bytes:
    """Coordinates `n x 2` as shares of a window (left, bottom, width, height) that holds them all.

    >>> parcel = pack_coordinates(np.array([[0.0, 1.0]]), (0.0, 0.0, 2.0, 2.0))
    >>> np.frombuffer(parcel[-16:], np.float32).tolist()
    [0.0, 0.0, 0.5, 0.0]
    """
    shares = (coordinates.astype(np.float64) - window[:2]) / window[2:]
    if len(shares) > FINE:
        steps = np.rint(shares * 65_535).astype(np.uint16)
    else:
        steps = shares.astype(np.float32)
    return pack({"x": np.ascontiguousarray(steps[:, 0]), "y": np.ascontiguousarray(steps[:, 1])}, window=list(window))
