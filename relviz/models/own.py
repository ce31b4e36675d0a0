"""Your own network: a function that builds it, and a checkpoint; only for whoever runs the server."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from relviz.checkpoints.door import read_checkpoint
from relviz.errors import BadChoice
from relviz.models.preprocessing import Pictures, Vectors
from relviz.models.reading import Built
from relviz.shelf_file import ModelEntry


def of_builder(builder: str, entry: ModelEntry) -> Built:
    """The network that an entry's builder builds, with its checkpoint.

    Raises
    ------
    BadChoice: there is no such function, it raises, gives no network, or there is no checkpoint.
    BadFile: the checkpoint cannot be read.
    """
    file = entry.path()
    if file is None:
        raise BadChoice(f"The builder '{builder}' has no checkpoint.", "Name the file of its weights.")
    weights = read_checkpoint(file)
    network, code = _built(builder, entry.folder)
    reads = Vectors(entry.vectors) if entry.vectors else _pictures(network, entry)
    return Built(network=network, reads=reads, origin=builder, weights=weights, file=file, code=code)


def _built(builder: str, folder: Path) -> tuple[nn.Module, str]:
    """A new network, and the text of the module that builds it."""
    with _importable(folder):
        function = _function(builder)
        try:
            network = function()
        except Exception as error:  # whatever the user's code raises
            raise _raised(builder, error) from error
    if not isinstance(network, nn.Module):
        kind = type(network).__name__
        raise BadChoice(f"The builder '{builder}' gives a {kind}, not a network.", "Return a torch.nn.Module.")
    module = inspect.getmodule(function)
    return network, inspect.getsource(module) if module is not None and getattr(module, "__file__", None) else ""


def _function(builder: str) -> Callable[[], Any]:
    place, _, name = builder.partition(":")
    if not (name.isidentifier() and all(part.isidentifier() for part in place.split("."))):
        raise BadChoice(f"The builder '{builder}' is no place in a package.", "Write package.module:function.")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not place.startswith(error.name):
            raise _raised(builder, error) from error
        raise BadChoice(f"There is no module '{place}'.", "Start relviz in the folder of your package.") from error
    except Exception as error:  # whatever the user's code raises
        raise _raised(builder, error) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise BadChoice(f"The module '{place}' has no function '{name}'.", "Write package.module:function.")
    return function


def _raised(builder: str, error: Exception) -> BadChoice:
    reason = " ".join(str(error).split())[:160]
    return BadChoice(f"The builder '{builder}' raises {type(error).__name__} ({reason}).", "Correct it, and try again.")


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the modules of a folder be imported, as Python does for scripts."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _pictures(network: nn.Module, entry: ModelEntry) -> Pictures:
    convolutions = (module for module in network.modules() if isinstance(module, nn.Conv2d))
    channels = next((convolution.in_channels for convolution in convolutions), 1)
    return Pictures(
        channels=entry.channels or channels,
        size=entry.size,
        mean=entry.mean or (0.0,),
        std=entry.std or (1.0,),
    )
