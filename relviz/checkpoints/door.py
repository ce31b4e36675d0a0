"""The door for weights that others saved: whatever comes through it is a table of finite, plain tensors."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from relviz import settings
from relviz.checkpoints import convert
from relviz.checkpoints.recognise import MOST_TENSORS, SAFETENSORS, recognise
from relviz.errors import BadFile

_KEPT = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "HOME")  # of the environment, for the child
_HINT = "Save the weights as safetensors, or with torch.save(model.state_dict(), FILE)."


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of a file of torch (.pt, .pth, .th, .bin), by their names.

    Of a training checkpoint the weights under the first of `convert.WRAPPERS` are taken. Files of torch are opened in
    a child process with limits, after their frame was looked through.

    Raises
    ------
    BadFile: missing, damaged, not weights, naming code, too large, or with a number that is not finite.
    """
    if recognise(path) == SAFETENSORS:
        tensors = _read(path, path)
    else:
        tensors = _read(_kept(path), path)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise BadFile(f"'{name}' of {path} has a number that is not finite.", "Take a checkpoint from before that.")
    return tensors


def _read(path: Path, named: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if not 0 < len(names) <= MOST_TENSORS:
                raise BadFile(f"{named} holds {len(names)} tensors.", f"Weights have 1 to {MOST_TENSORS}.")
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise BadFile(f"{named} is a damaged safetensors file ({error}).", "Copy or save it again.") from error


def _kept(path: Path) -> Path:
    """The file written again as safetensors, kept under the sha256 of its bytes, for starting a child takes seconds."""
    with path.open("rb") as file:
        kept = settings.cache_dir() / "weights" / f"{hashlib.file_digest(file, 'sha256').hexdigest()}.safetensors"
    if not kept.is_file():
        try:
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=kept.parent) as folder:
                _converted(path, Path(folder)).replace(kept)
        except OSError as error:
            hint = "Name a folder for it with RELVIZ_CACHE."
            raise BadFile(f"{path} cannot be converted ({kept.parent}: {error.strerror}).", hint) from error
    return kept


def _converted(path: Path, folder: Path) -> Path:
    """The file written again as safetensors, by a child process."""
    command = [sys.executable, "-m", "relviz.checkpoints.convert", str(path.resolve()), str(folder)]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # whatever way this process finds its modules
    environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    try:
        subprocess.run(  # noqa: S603 our own module
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=2 * convert.SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BadFile(f"{path} took longer to read than any file may.", _HINT) from error
    refused, weights = folder / convert.REFUSED, folder / convert.WEIGHTS
    if refused.exists():
        raise BadFile(f"{path} {json.loads(refused.read_text())}.", _HINT)
    if not weights.exists():
        raise BadFile(f"{path} ended the process that read it.", _HINT)
    return weights
