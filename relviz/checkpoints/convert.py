"""The one place that opens torch's own files: `python -m relviz.checkpoints.convert FILE TARGET`, in a child process.

It may take only so much memory, time and disk, has no secrets in its environment, and writes plain safetensors, or the
reason why not. What goes wrong in here, even a crash, ends this process and no other.
"""

from __future__ import annotations

import json
import resource
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from relviz.checkpoints.recognise import MOST_TENSORS

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "model_state", "ema", "model_ema", "state_dict_ema")
REFUSED = "refused.json"
WEIGHTS = "weights.safetensors"
SECONDS = 60

_DEPTH = 4  # of wrappers in one another
_SPARE = 2**30  # bytes beyond what the file itself needs
_NUMBERS = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_NUMBERS |= {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}


class _Refused(Exception):
    """Why the file's content is no state dict; the text ends a sentence that begins with the file."""


def main(source: Path, target: Path) -> None:
    """Write the weights of `source` into the folder `target`, or the reason why not."""
    size = source.stat().st_size
    _limit(size)
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)  # noqa: TID251 here and nowhere else
    except Exception as error:  # noqa: BLE001 a damaged file raises a dozen kinds
        reason = "needs more memory than its size allows" if _ran_out(error) else "cannot be read as plain weights"
        (target / REFUSED).write_text(json.dumps(reason))
        return
    try:
        save_file(_plain(_unwrapped(loaded), size), target / WEIGHTS)
    except _Refused as reason:
        (target / REFUSED).write_text(json.dumps(str(reason)))


def _limit(size: int) -> None:
    """Memory beyond what torch itself has mapped by now, processor time, and bytes written."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = {resource.RLIMIT_AS: mapped + 6 * size + _SPARE, resource.RLIMIT_CPU: SECONDS}
    limits |= {resource.RLIMIT_FSIZE: 4 * size + 2**24, resource.RLIMIT_CORE: 0}
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def _ran_out(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _unwrapped(loaded: Any) -> dict[str, Any]:
    """The state dict inside a training checkpoint, which keeps it under one of a few names."""
    for _ in range(_DEPTH):
        if not isinstance(loaded, dict):
            raise _Refused(f"holds a {type(loaded).__name__}, not a table of tensors")
        inner = next((loaded[key] for key in WRAPPERS if isinstance(loaded.get(key), dict)), None)
        if inner is None:
            tables = {name: table for name, table in loaded.items() if _is_table(table)}
            if len(tables) != 1 or any(isinstance(value, Tensor) and value.ndim for value in loaded.values()):
                return {**loaded, **_joined(tables)}
            inner = next(iter(tables.values()))
        loaded = inner
    raise _Refused("wraps its weights too deeply")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(name, str) for name in value) and _holds_tensors(value)


def _holds_tensors(table: dict[Any, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in table.values())


def _joined(tables: dict[Any, dict[Any, Any]]) -> dict[str, Any]:
    """One table of the parts of a network that were saved apart; copies of one network are not chosen between."""
    for first, second in combinations(tables, 2):
        if tables[first].keys() == tables[second].keys():
            save = f"torch.save(torch.load(FILE)[{second!r}], NEW)"
            raise _Refused(f"holds tensors of the same names under {first!r} and {second!r}; save one alone: {save}")
    return {f"{part}.{name}": value for part, table in tables.items() for name, value in table.items()}


def _plain(state: dict[Any, Any], size: int) -> dict[str, Tensor]:
    """Its tensors, each with memory of its own; entries that are none are left out."""
    tensors = {name: value.detach() for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise _Refused("holds no tensors")
    if len(tensors) > MOST_TENSORS:
        raise _Refused(f"holds more than {MOST_TENSORS} tensors")
    for name, tensor in tensors.items():
        _check(name, tensor)
    if sum(tensor.nbytes for tensor in tensors.values()) > 4 * size:
        raise _Refused("describes far more numbers than it holds")
    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _check(name: Any, tensor: Tensor) -> None:
    if not isinstance(name, str) or len(name) > 500:
        raise _Refused("names its tensors by something else than short words")
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in _NUMBERS:
        raise _Refused(f"holds '{name}', which is no plain tensor of numbers")
    if tensor.nbytes > tensor.untyped_storage().nbytes():
        raise _Refused(f"describes '{name}' as larger than its content")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
