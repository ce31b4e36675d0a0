"""Results on disk: content-addressed safetensors. Equal ingredients, equal file; anything unreadable is a miss."""

from __future__ import annotations

import hashlib
import json
import logging

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from relviz import settings

_VERSION = 1  # raised whenever the meaning of a stored array changes
_log = logging.getLogger(__name__)


def cache_key(kind: str, **ingredients: str | int | float | bool) -> str:
    """File name of a result: sha256 over version, kind and ingredients, independent of their order.

    >>> cache_key("space", model="a", data="b") == cache_key("space", data="b", model="a")
    True
    """
    text = json.dumps([_VERSION, kind, sorted(ingredients.items())], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read(key: str) -> dict[str, Tensor] | None:
    """The stored arrays, or None."""
    path = settings.cache_dir() / f"{key}.safetensors"
    try:
        return load_file(path)
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        _log.warning("cache entry %s is unreadable (%s); computing it again", path, error)
        return None


def write(key: str, arrays: dict[str, Tensor]) -> None:
    """Store arrays; a cache that cannot be written to costs time, never a result."""
    folder = settings.cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        save_file({name: array.contiguous() for name, array in arrays.items()}, folder / f"{key}.safetensors")
    except (OSError, SafetensorError) as error:
        _log.warning("the result could not be cached in %s (%s)", folder, error)
