"""A training on its way, on disk: written whole after every epoch, so that a killed one goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


class Resumable:
    """The file of one training.

    Parameters
    ----------
    run: what it trains and on which data; a file of another run is none.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path, self._run = path, run

    def read(self) -> tuple[dict[str, Tensor], Any] | None:
        """Tensors and facts as last written, or None where there are none of this run."""
        if not self._path.is_file():
            return None
        try:
            with safe_open(self._path, "pt") as stored:
                notes = stored.metadata() or {}
                if notes.get("run") != self._run:
                    return None
                return {name: stored.get_tensor(name) for name in stored.keys()}, json.loads(notes["facts"])
        except (SafetensorError, OSError, ValueError, KeyError):
            return None

    def write(self, tensors: Mapping[str, Tensor], facts: Any) -> None:
        """Replace what was written before, all at once."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        begun = self._path.with_suffix(".begun")
        notes = {"run": self._run, "facts": json.dumps(facts)}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, begun, metadata=notes)
        begun.replace(self._path)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._path.unlink(missing_ok=True)
