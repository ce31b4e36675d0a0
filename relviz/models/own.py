"""Your own network: a function that builds it, and a checkpoint; only for whoever runs the server."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from relviz.checkpoints.door import read_checkpoint
from relviz.errors import BadChoice
from relviz.models.guard import run_guarded
from relviz.models.preprocessing import Pictures, Reads, Vectors
from relviz.models.reading import Built
from relviz.models.text import TRIED, Texts
from relviz.packages import declare_operators
from relviz.shelf_entries import ModelEntry


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
    return Built(
        network=network, reads=_reads(builder, network, entry), origin=builder, weights=weights, file=file, code=code
    )


def _built(builder: str, folder: Path) -> tuple[nn.Module, str]:
    """A new network, and the text of the module that builds it."""
    declare_operators()  # the builder may import torchvision
    with _importable(folder):
        function = run_guarded(builder, lambda: _function(builder, folder))
        network = run_guarded(builder, function)
    if not isinstance(network, nn.Module):
        kind = type(network).__name__
        raise BadChoice(f"The builder '{builder}' gives a {kind}, not a network.", "Return a torch.nn.Module.")
    module = inspect.getmodule(function)
    return network, inspect.getsource(module) if module is not None and getattr(module, "__file__", None) else ""


def _function(builder: str, folder: Path) -> Callable[[], Any]:
    place, _, name = builder.partition(":")
    if not (name.isidentifier() and all(part.isidentifier() for part in place.split("."))):
        raise BadChoice(f"The builder '{builder}' is no place in a package.", "Write package.module:function.")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not place.startswith(error.name):
            raise
        places = " or ".join(dict.fromkeys(map(str, (folder.resolve(), Path.cwd()))))
        raise BadChoice(f"There is no module '{place}' in {places}.", "Start relviz where it lies.") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise BadChoice(f"The module '{place}' has no function '{name}'.", "Write package.module:function.")
    return function


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the modules of the shelf file's folder and of the working folder be imported, as Python does for scripts."""
    places = (str(folder), str(Path.cwd()))
    sys.path[:0] = places
    try:
        yield
    finally:
        for place in places:
            sys.path.remove(place)


def _reads(builder: str, network: Any, entry: ModelEntry) -> Reads:
    """Vectors where their width is named, texts where the network has a method `tokens`, else images."""
    texts = callable(getattr(network, "tokens", None))
    if entry.vectors is None and not texts:
        return _pictures(network, entry)
    asked = [part for part in ("size", "channels", "mean", "std") if getattr(entry, part) is not None]
    if asked:
        reads = "vectors" if entry.vectors is not None else "texts"
        raise BadChoice(f"'{builder}' reads {reads}, but the {asked[0]} of images is named.", "Leave it out.")
    return _texts(builder, network.tokens) if entry.vectors is None else Vectors(entry.vectors)


def _texts(builder: str, tokens: Callable[[list[str]], Any]) -> Texts:
    made = run_guarded(builder, lambda: tokens(list(TRIED)))
    pair = isinstance(made, tuple) and len(made) == 2 and all(isinstance(part, Tensor) for part in made)
    if not pair or made[0].ndim != 2 or len(made[0]) != len(TRIED) or made[0].shape != made[1].shape:
        hint = "Return two tensors, of one row a text: numbers of tokens, and 1 where there is one."
        raise BadChoice(f"The method tokens of '{builder}' gives no tokens and mask.", hint)
    return Texts("the network's own", tokens)


def _pictures(network: nn.Module, entry: ModelEntry) -> Pictures:
    convolutions = (module for module in network.modules() if isinstance(module, nn.Conv2d))
    channels = next((convolution.in_channels for convolution in convolutions), 1)
    return Pictures(
        channels=entry.channels or channels,
        size=entry.size,
        mean=entry.mean or (0.0,),
        std=entry.std or (1.0,),
    )
