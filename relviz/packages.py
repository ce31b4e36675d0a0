"""Optional packages: imported when something needs them, a missing one answered by the command that installs it."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from relviz.errors import MissingPackage

TORCHVISION = "torchvision==0.28.0"


def needed(module: str, *, requirement: str, purpose: str) -> Any:
    """An optional package's module.

    Parameters
    ----------
    requirement: what pip installs it by.
    purpose: what needs it, in the plural.

    Raises
    ------
    MissingPackage: it is not installed.

    >>> needed("json", requirement="json", purpose="Manifests").loads("[1]")
    [1]
    """
    declare_operators()  # transformers and timm import torchvision where it is installed
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingPackage(requirement, purpose) from error


def torchvision(part: str, *, purpose: str) -> Any:
    """A module of torchvision, such as "datasets" or "models".

    Raises
    ------
    MissingPackage: torchvision is not installed.
    """
    if importlib.util.find_spec("torchvision") is None:
        raise MissingPackage(TORCHVISION, purpose)
    return needed(f"torchvision.{part}", requirement=TORCHVISION, purpose=purpose)


@cache
def declare_operators() -> Any:
    """Declare the operators that torchvision describes on import, where its compiled part cannot bring them.

    The package index's torchvision is built for CUDA; beside a CPU torch its compiled part does not load, and the
    import would end in a RuntimeError. What is returned must be kept: the operators go with it.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None:
        return None
    import torch

    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    try:
        for compiled in [path for folder in folders for path in folder.glob("_C*.so")]:
            torch.ops.load_library(str(compiled))
            return None
    except OSError:
        pass
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
