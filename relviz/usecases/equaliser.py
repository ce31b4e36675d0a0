"""Use case: change coordinates of one sample's relative code, and decode again.

The code of a relative autoencoder holds the similarities to the model's own anchors, layer-normalised. Source: the
anchor editing in the code of 2209.15430.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from relviz.core.reconstruction import squared_error
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.device import CPU
from relviz.encoding.spaces import encoder_of, fitting_model, space_of
from relviz.errors import BadChoice
from relviz.models.model import Model
from relviz.progress import Progress
from relviz.requests import Change, Equalise
from relviz.usecases.reconstruction import decode
from relviz.usecases.table import declare, one_stage


@dataclass(frozen=True)
class Equalised:
    """Answer to `Equalise`.

    Attributes
    ----------
    own, code: the sample's relative code `k`, as it is and with the changes.
    low, high: `k`, least and largest value of each coordinate among the held-out rows.
    nearest: int64, the anchors nearest to the sample, nearest first; `anchors` their pictures, `m x s x s` in [0, 1].
    pictures: `3 x s x s` in [0, 1]: the sample, and what the decoder makes of its own and of the changed code.
    own_error, error: mean squared error per pixel of the last two.
    """

    own: Tensor
    code: Tensor
    low: Tensor
    high: Tensor
    nearest: Tensor
    anchors: Tensor
    pictures: Tensor
    own_error: float
    error: float


def equalise(request: Equalise, progress: Progress) -> Equalised:
    """The pictures of one sample's code, as it is and changed.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value, or the model reads no similarities.
    """
    data = load_dataset(request.data)
    model = fitting_model(request.model, data)
    _check(request, model, data)
    codes = space_of(model, data, progress)[data.held_out]
    own = codes[request.row].clone()
    code = _changed(own, request.changes)
    image = data.inputs()[data.gallery_size + request.row]
    decoded = decode(model, torch.stack([own, code]), (2, *image.shape))
    errors = squared_error(decoded, image.expand_as(decoded)).tolist()
    nearest = own.argsort(descending=True, stable=True)[: request.nearest]
    low, high = codes.aminmax(dim=0)
    pictures = torch.cat([image[None], decoded])[:, 0]
    return Equalised(own, code, low, high, nearest, _anchors(model)[nearest], pictures, *errors)


declare(Equalise, Equalised, one_stage(equalise))


def why_no_equaliser(model: Model) -> str | None:
    """Why coordinates of the model's codes are no similarities to change, in one sentence, or None."""
    if not model.decodes:
        return f"The model '{model.name}' has no decoder."
    if not model.relative:
        return f"The decoder of '{model.name}' reads absolute coordinates, none of which is a similarity to an anchor."
    return None


def _check(request: Equalise, model: Model, data: DataSet) -> None:
    reason = why_no_equaliser(model)
    if reason is not None:
        raise BadChoice(reason, "Choose an autoencoder with a relative layer.")
    last, k = len(data) - data.gallery_size - 1, model.width
    if not 0 <= request.row <= last:
        raise BadChoice(f"There is no held-out row {request.row}.", f"Choose one of 0 to {last}.")
    if not 1 <= request.nearest <= k:
        raise BadChoice(f"{request.nearest} anchors cannot be shown.", f"Choose 1 to {k}.")
    for change in request.changes:
        if not 0 <= change.anchor < k:
            raise BadChoice(f"'{model.name}' has no anchor {change.anchor}.", f"Choose one of 0 to {k - 1}.")
        if not abs(change.value) <= math.sqrt(k):  # the most that a layer norm of k values gives; refuses NaN as well
            most = f"{math.sqrt(k):.1f}"
            raise BadChoice(f"{change.value} is no layer-normalised similarity.", f"Choose -{most} to {most}.")
    if len({change.anchor for change in request.changes}) < len(request.changes):
        raise BadChoice("The similarity to one anchor is changed twice.", "Name each anchor once.")


def _changed(own: Tensor, changes: tuple[Change, ...]) -> Tensor:
    code = own.clone()
    for change in changes:
        code[change.anchor] = change.value
    return code


def _anchors(model: Model) -> Tensor:
    """Pictures of the model's own anchors, `k x s x s` in [0, 1]."""
    encoder: Any = encoder_of(model, CPU)
    return encoder.network.encoder.anchors[:, 0].float() / 255
