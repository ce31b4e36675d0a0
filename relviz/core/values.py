"""Values that methods refuse."""

from __future__ import annotations

from torch import Tensor

from relviz.errors import BadChoice

_LARGEST = 1e100  # above it a product of two values may leave float64


def finite(x: Tensor, what: str) -> Tensor:
    """The tensor itself without its gradients, refused where it holds NaN, infinity or values above 1e100.

    >>> import torch
    >>> finite(torch.ones(1), "vectors").tolist()
    [1.0]
    """
    x = x.detach()
    if x.numel() and not float(x.abs().amax()) <= _LARGEST:
        raise BadChoice(f"The {what} hold values that are not finite or above {_LARGEST:g}.", "Check the encoder.")
    return x
