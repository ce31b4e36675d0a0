"""The form of an entry of the cache: arrays as safetensors, facts beside them, and a digest over both.

The digest covers every array and fact, because the format itself notices no flipped bit.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

if TYPE_CHECKING:
    from torch import Tensor

_VERSION = 2  # raised whenever the meaning of a stored array, or the layout of an entry, changes
SUFFIX = ".safetensors"
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, SafetensorError)
_BLANK = "0" * 64


class Entry(dict[str, "Tensor"]):
    """Stored arrays by name; `facts` are what was stored beside them."""

    def __init__(self, arrays: Mapping[str, Tensor], facts: Any) -> None:
        super().__init__(arrays)
        self.facts = facts


def key_digest(kind: str, ingredients: Mapping[str, Any]) -> str:
    """sha256 of version, kind and ingredients."""
    return hashlib.sha256(_spelt([_VERSION, kind, ingredients])).hexdigest()


def closed(key: str, arrays: Mapping[str, Tensor], facts: Any) -> bytes:
    """The bytes of an entry."""
    import torch
    from safetensors.torch import save

    # Clones, because the format refuses tensors that share memory.
    own = {name: array.cpu().clone(memory_format=torch.contiguous_format) for name, array in arrays.items()}
    metadata = {"relviz": str(_VERSION), "key": key, "facts": json.dumps(facts), "digest": _BLANK}
    raw = save(own, metadata)
    # The quotes are real only where they stand in the metadata; within facts they would be escaped.
    return raw.replace(f'"{_BLANK}"'.encode(), f'"{_digest(*_halves(raw))}"'.encode(), 1)


def opened(raw: bytes, key: str) -> Entry:
    """What `closed` put in.

    Raises
    ------
    One of `UNREADABLE`: these bytes are not all and only what was written under this key.
    """
    from safetensors.torch import load

    header, body = _halves(raw)
    metadata = header["__metadata__"]
    if metadata["digest"] != _digest(header, body):
        raise ValueError("its bytes are not those that were written")
    _check_origin(metadata, key)
    return Entry(load(raw), json.loads(metadata["facts"]))


def check_head(path: Path) -> None:
    """Refuse a file that this version did not write under its name, or that is cut short, by its head alone.

    Raises
    ------
    OSError: it cannot be read. One of `UNREADABLE`: it is no whole entry.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = min(int.from_bytes(file.read(8), "little"), size)
        header = json.loads(file.read(length))
    _check_origin(header.pop("__metadata__"), path.name.removesuffix(SUFFIX))
    if size != 8 + length + max((array["data_offsets"][1] for array in header.values()), default=0):
        raise ValueError("it is cut short")


def _spelt(value: Any) -> bytes:
    """One spelling per value: JSON keeps 1, 1.0, "1" and true apart, and two half characters from a whole one."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _halves(raw: bytes) -> tuple[dict[str, Any], memoryview]:
    """Header and array bytes of a safetensors file."""
    end = 8 + int.from_bytes(raw[:8], "little")
    return json.loads(raw[8:end]), memoryview(raw)[end:]


def _digest(header: dict[str, Any], body: memoryview) -> str:
    """sha256 of everything but the digest itself."""
    blank = {**header, "__metadata__": {**header["__metadata__"], "digest": _BLANK}}
    digest = hashlib.sha256(_spelt(blank))
    digest.update(body)
    return digest.hexdigest()


def _check_origin(metadata: dict[str, str], key: str) -> None:
    if (metadata["relviz"], metadata["key"]) != (str(_VERSION), key):
        raise ValueError("it was written by another version or under another name")
