"""What every aggregation offers, and what all begin with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relviz.errors import BadChoice


class Aggregation(nn.Module):
    """What every aggregation offers.

    Attributes
    ----------
    count, width: relative spaces, and anchors of each.
    out_width: width of what comes out.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        if count < 1 or width < 1:
            raise BadChoice(f"{count} spaces of {width} anchors cannot be aggregated.", "Give at least one of each.")
        self.count, self.width, self.out_width = count, width, width

    def blending(self) -> list[nn.Parameter]:
        """The parameters that say how much of each space goes in; none where nothing is learned."""
        return []


class Normalised(Aggregation):
    """Starts with a layer norm of each space, with a factor and an offset of its own for each anchor."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width)
        self.factor = nn.Parameter(torch.ones(count, width))
        self.offset = nn.Parameter(torch.zeros(count, width))

    def normalised(self, x: Tensor) -> Tensor:
        """All spaces, `n x count x k` as given."""
        return layer_norm(x) * self.factor + self.offset


def layer_norm(x: Tensor) -> Tensor:
    """Every row of every space, `n x s x k` for s spaces, with mean 0 and variance 1.

    Raises nothing.

    >>> layer_norm(torch.tensor([[[1.0, 3.0]]])).round().tolist()
    [[[-1.0, 1.0]]]
    """
    return nn.functional.layer_norm(x, x.shape[-1:])
