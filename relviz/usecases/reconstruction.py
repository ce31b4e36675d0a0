"""Use cases: encode with one model and decode with another; scale latent vectors, and see what comes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from relviz import settings
from relviz.core.heads import LinearHead, share_right
from relviz.core.reconstruction import peak_signal_to_noise, squared_error, structural_similarity
from relviz.core.stitching import CARRYING, METHODS, NotApplicable, Side
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.device import in_batches, on_device
from relviz.encoding.spaces import anchor_rows, encoder_of, fitting_model, part, space_of
from relviz.errors import BadChoice
from relviz.models.model import Model
from relviz.models.shelf import ModelCard, shelf
from relviz.models.training import Recipe
from relviz.progress import Progress
from relviz.requests import Reconstruct, Rescale
from relviz.usecases.stitching import method_of, moved, side_of
from relviz.usecases.table import declare, one_stage

_SMALLEST = 11  # side in pixels from which on there is an SSIM


@dataclass(frozen=True)
class Rebuilt:
    """The images of one way from encoder to decoder.

    Attributes
    ----------
    method: a key of `METHODS`, or "own": the decoder's own encoder.
    label: what to call it. Between two relative models the vectors as they are, are relative: zero-shot stitching.
    error: mean squared error per pixel over all held-out rows; psnr in decibels and ssim likewise. None where there is
        none: all of an undefined method, ssim of images smaller than 11 pixels.
    pictures: `m x s x s` in [0, 1], of the first held-out rows.
    undefined: why there are none, or None.
    """

    method: str
    label: str
    error: float | None
    psnr: float | None
    ssim: float | None
    pictures: Tensor | None
    undefined: str | None


@dataclass(frozen=True)
class Reconstruction:
    """What came of one encoder with one decoder.

    Attributes
    ----------
    n: held-out rows that the errors are means of.
    blind: the error of giving the gallery's mean image for every row, whatever the sample.
    originals: the first of them, `m x s x s` in [0, 1].
    rebuilt: the decoder's own first, then method by method.
    """

    encoder: str
    decoder: str
    n: int
    blind: float
    originals: Tensor
    rebuilt: list[Rebuilt]


def reconstruct(request: Reconstruct, progress: Progress) -> Reconstruction:
    """Every asked method, and what the decoder makes of its own encoder's vectors.

    Raises
    ------
    BadChoice: the decoder has none, a method ends in another space, or there are no pictures to give.
    UnknownName: no such method.
    """
    data = load_dataset(request.data)
    models = encoder, decoder = fitting_model(request.encoder, data), fitting_model(request.decoder, data)
    _check(request, decoder, data)
    rows = anchor_rows(data, request.anchors, progress)
    sides = [
        _side(model, data, rows, part(progress, 0.25 * done, 0.25 * (done + 1))) for done, model in enumerate(models)
    ]
    originals = data.inputs()[data.held_out]
    rebuilt = [_judged("own", "its own encoder", sides[1].held_out, decoder, originals, request.pictures)]
    for done, method in enumerate(request.methods):
        label = "relative" if method == "absolute" and encoder.relative and decoder.relative else METHODS[method].label
        progress(0.5 + 0.5 * done / len(request.methods), f"decoding with {decoder.name}: {label}")
        try:
            carried = _carried(method, *sides, centred=request.anchors.centred)
        except NotApplicable as reason:
            rebuilt.append(Rebuilt(method, label, None, None, None, None, str(reason)))
            continue
        rebuilt.append(_judged(method, label, carried, decoder, originals, request.pictures))
    shown = originals[: request.pictures, 0].clone()
    return Reconstruction(encoder.name, decoder.name, len(originals), blind_error(data), shown, rebuilt)


declare(Reconstruct, Reconstruction, one_stage(reconstruct))


@dataclass(frozen=True)
class ScaleCurve:
    """One model's values, factor by factor.

    Attributes
    ----------
    decodes: whether the values are mean squared errors per pixel of its decoder, else accuracies of its native head.
    values: on the held-out rows.
    blind: what comes of not looking at the sample: the chance level, or the error of the gallery's mean image.
    n: held-out rows.
    """

    model: str
    decodes: bool
    factors: list[float]
    values: list[float]
    blind: float
    n: int


def rescale(request: Rescale, progress: Progress) -> list[ScaleCurve]:
    """The curve of every model.

    Raises
    ------
    UnknownName, BadChoice: no such model or data set, they do not fit, or a factor is not above 0.
    """
    for factor in request.factors:
        if not (math.isfinite(factor) and factor > 0):
            raise BadChoice(f"Vectors cannot be multiplied by {factor}.", "Choose finite factors above 0.")
    data, count = load_dataset(request.data), len(request.models)
    return [
        _curve(fitting_model(name, data), data, request.factors, part(progress, done / count, (done + 1) / count))
        for done, name in enumerate(request.models)
    ]


declare(Rescale, list[ScaleCurve], one_stage(rescale))


def counterparts(*names: str) -> tuple[str, ...] | None:
    """Autoencoders of the same recipes with a relative layer, or of relative ones without; None unless all are there.

    >>> counterparts("fmnist-ae-s0", "fmnist-ae-s1")
    ('fmnist-relae-s0', 'fmnist-relae-s1')
    >>> counterparts("fmnist-ae2-s0")
    """
    cards = shelf()
    found = [_counterpart(cards[name].recipe, cards) for name in names if name in cards]
    there = tuple(name for name in found if name is not None)
    return there if len(there) == len(names) else None


def decode(decoder: Model, latent: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Pictures of latent vectors, float32 of that shape, on the CPU."""

    def decoded(rows: slice, where: torch.device) -> Tensor:
        return encoder_of(decoder, where).decode(latent[rows].to(where))

    return in_batches(decoded, shape, batch=settings.ENCODE_BATCH, key=(decoder.fingerprint, "decoder"))


def blind_error(data: DataSet) -> float:
    """Mean squared error per pixel of the gallery's mean image, taken for every held-out one."""
    images = data.inputs()
    held_out = images[data.held_out]
    return float(squared_error(images[data.gallery].mean(0, keepdim=True).expand_as(held_out), held_out).mean())


def _counterpart(recipe: Recipe, cards: Mapping[str, ModelCard]) -> str | None:
    architecture = recipe.architecture
    other = architecture.removeprefix("rel") if recipe.anchors else f"rel{architecture}"
    wanted = (other, recipe.data, recipe.seed)
    return next(
        (name for name, card in cards.items() if _identity(card.recipe) == wanted and card.recipe.reconstructs), None
    )


def _identity(recipe: Recipe) -> tuple[str, str, int]:
    return recipe.architecture, recipe.data, recipe.seed


def _check(request: Reconstruct, decoder: Model, data: DataSet) -> None:
    if not decoder.decodes:
        raise BadChoice(f"The model '{decoder.name}' has no decoder.", "Choose an autoencoder to decode with.")
    for method in request.methods:
        method_of(method)  # refuses what there is not
        if method not in CARRYING:
            raise BadChoice(
                f"'{method}' does not end in the decoder's own space.", f"Choose among {', '.join(CARRYING)}."
            )
    least = len(data) - data.gallery_size
    if not 1 <= request.pictures <= least:
        raise BadChoice(f"{request.pictures} pictures cannot be shown.", f"Choose 1 to {least}.")


def _side(model: Model, data: DataSet, anchors: Tensor, progress: Progress) -> Side:
    space = space_of(model, data, progress)
    return Side(model.name, space[data.gallery], space[data.held_out], anchors, None)


def _carried(method: str, encoder: Side, decoder: Side, *, centred: bool) -> Tensor:
    """The encoder's held-out vectors in the decoder's space, float32 `n x d`."""

    def carry(where: torch.device) -> Tensor:
        return METHODS[method].function(moved(encoder, where), moved(decoder, where), centred).float().cpu()

    return on_device(carry)


def _judged(method: str, label: str, latent: Tensor, decoder: Model, originals: Tensor, pictures: int) -> Rebuilt:
    found = decode(decoder, latent, tuple(originals.shape))
    large = min(originals.shape[2:]) >= _SMALLEST
    return Rebuilt(
        method,
        label,
        error=float(squared_error(found, originals).mean()),
        psnr=float(peak_signal_to_noise(found, originals).mean()),
        ssim=float(structural_similarity(found, originals).mean()) if large else None,
        pictures=found[:pictures, 0].clone(),
        undefined=None,
    )


def _curve(model: Model, data: DataSet, factors: tuple[float, ...], progress: Progress) -> ScaleCurve:
    latent = space_of(model, data, part(progress, 0.0, 0.5))[data.held_out]
    judge = _error_of(model, data) if model.decodes else _accuracy_of(model, data, progress)
    values = []
    for done, factor in enumerate(factors):
        progress(0.5 + 0.5 * done / len(factors), f"{model.name}, latent vectors times {factor:g}")
        values.append(judge(factor * latent))
    blind = blind_error(data) if model.decodes else data.chance
    return ScaleCurve(model.name, model.decodes, list(factors), values, blind, len(latent))


def _accuracy_of(model: Model, data: DataSet, progress: Progress) -> Callable[[Tensor], float]:
    head, labels = side_of(model, data, torch.arange(1), progress).native_head, data.label_tensor()[data.held_out]
    if not isinstance(head, LinearHead):
        raise BadChoice(f"The model '{model.name}' has no native head.", "Choose a classifier or an autoencoder.")
    return lambda latent: share_right(head.scores(latent), labels)


def _error_of(model: Model, data: DataSet) -> Callable[[Tensor], float]:
    originals = data.inputs()[data.held_out]
    return lambda latent: float(squared_error(decode(model, latent, tuple(originals.shape)), originals).mean())
