"""Use case: multiply latent vectors by factors, and see what the model's own head or decoder makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from relviz.core.heads import LinearHead, share_right
from relviz.core.reconstruction import squared_error
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.spaces import fitting_model, part, space_of
from relviz.errors import BadChoice
from relviz.models.model import Model
from relviz.progress import Progress
from relviz.requests import Rescale
from relviz.usecases.reconstruction import blind_error, decode
from relviz.usecases.stitching import side_of
from relviz.usecases.table import declare, one_stage


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
