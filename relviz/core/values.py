"""Values that methods refuse."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.errors import BadChoice

_LARGEST = 1e100  # above it a product of two values may leave float64


def finite(x: Tensor, what: str) -> Tensor:
    """The tensor itself without its gradients, refused where it holds NaN, infinity or values above 1e100.

    Of any shape, such as `n x d`.

    Raises
    ------
    BadChoice: it holds such values; `what` names the offender.

    >>> finite(torch.ones(1), "vectors").tolist()
    [1.0]
    """
    x = x.detach()
    if x.numel() and not float(x.abs().amax()) <= _LARGEST:
        raise BadChoice(f"The {what} hold values that are not finite or above {_LARGEST:g}.", "Check the encoder.")
    return x


def checked(x: Float[Tensor, "*n d"], what: str) -> float:
    """The largest absolute value of `x`, 0.0 of nothing, once all its values are known to be finite.

    Raises
    ------
    BadChoice: a value is NaN or infinite; `what` names the offender.

    >>> checked(torch.tensor([[-3.0, 1.0]]), "samples")
    3.0
    """
    if x.numel() == 0:
        return 0.0
    low, high = (float(end) for end in torch.aminmax(x.detach()))  # NaN comes through as NaN
    largest = max(-low, high)
    if not largest < float("inf"):
        raise BadChoice(f"The {what} hold values that are not finite.", "Take out NaN and infinite values.")
    return largest
