"""Weights on disk: safetensors only, checked against their sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from relviz.errors import DamagedAsset


def save_weights(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors as safetensors, all at once, and return the file's sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_suffix(".begun")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, begun)
    begun.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_weights(path: Path, *, sha256: str, rebuild: str) -> dict[str, Tensor]:
    """Read tensors back.

    Parameters
    ----------
    sha256: what the file's bytes must hash to.
    rebuild: the command that makes the file again, for the message.

    Raises
    ------
    DamagedAsset: the file is missing or its bytes are others.
    """
    raw = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise DamagedAsset(
            f"The weights {path} are {'damaged' if raw else 'missing'}.", f"Make them again with '{rebuild}'."
        )
    try:
        return load(raw)
    except SafetensorError as error:
        raise DamagedAsset(
            f"The weights {path} cannot be read ({error}).", f"Make them again with '{rebuild}'."
        ) from error
