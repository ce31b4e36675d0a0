"""A trained network as a head."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relviz.core.fitting import seeded, train
from relviz.core.heads.entry import HEADS, HeadEntry
from relviz.core.heads.head import BLOCK, check_labels, share_right
from relviz.core.registry import Option
from relviz.core.values import finite
from relviz.errors import BadChoice


@dataclass(frozen=True)
class MLPHead:
    """A trained network that reads vectors; float32 inside, scores (logits) in float64. To train on, copy it first."""

    network: nn.Module

    @torch.no_grad()
    def scores(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Class scores."""
        return finite(torch.cat([self.network(_for_network(part)) for part in x.split(BLOCK)]), "scores").double()

    def accuracy(self, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return share_right(self.scores(x), labels)


def mlp(width: int, classes: int, *, hidden: int = 2) -> nn.Sequential:
    """The papers' head: layer norm, `hidden` times a linear layer of the same width and SiLU, a linear layer.

    Source: 2209.15430, text experiments, without their batch norm, so that a row's scores depend on that row only.

    Raises nothing for widths and numbers of classes of at least 1.

    >>> mlp(4, 3)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """
    between = [layer for _ in range(hidden) for layer in (nn.Linear(width, width), nn.SiLU())]
    return nn.Sequential(nn.LayerNorm(width), *between, nn.Linear(width, classes))


def fit_mlp(
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "m"],
    *,
    classes: int,
    hidden: int = 2,
    epochs: int = 5,
    batch: int = 128,
    rate: float = 1e-3,
    seed: int = 0,
) -> MLPHead:
    """The papers' head, trained by Adam on cross-entropy; equal seeds give equal heads on one machine.

    Source: 2209.15430, text experiments (there batch 32, 3 to 5 epochs, rate 1e-3 or 1e-4).

    Parameters
    ----------
    x: vectors the head will read; the layer norm takes out offset and spread of each row.
    labels: classes 0 to `classes` - 1.
    hidden: layers of the width of `x`, 0 or more.
    epochs, batch, rate: 0 or more passes, rows per step (1 or more), learning rate (above 0).
    seed: of start and order, 0 or more.

    Raises
    ------
    BadChoice: no rows, values that are not finite, or labels or options out of range.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_mlp(x, torch.tensor([0, 0, 1, 1]), classes=2, epochs=50).accuracy(x, torch.tensor([0, 0, 1, 1]))
    1.0
    """
    check_labels(labels, rows=len(x), classes=classes)
    if hidden < 0:
        raise BadChoice(f"{hidden} hidden layers cannot be built.", "Choose 0 or more.")
    rows = _for_network(finite(x, "vectors"))
    network = seeded(lambda: mlp(x.shape[1], classes, hidden=hidden), seed=seed).to(x.device)
    steps = epochs * math.ceil(len(x) / max(1, batch))
    train(network, list(network.parameters()), rows, labels, steps=steps, batch=batch, rate=rate, seed=seed)
    return MLPHead(network)


HEADS["mlp"] = HeadEntry(
    label="MLP",
    function=fit_mlp,
    summary="the papers' network: layer norm, hidden layers with SiLU",
    source="2209.15430",
    options=(
        Option("hidden", 2, "hidden layers", low=0.0, high=4.0),
        Option("epochs", 5, "passes over the gallery", low=0.0, high=100.0),
        Option("batch", 128, "rows per step", low=1.0, high=4096.0),
        Option("rate", 1e-3, "learning rate", low=1e-6, high=1.0),
        Option("seed", 0, "seed of start and order", low=0.0),
    ),
)


def _for_network(x: Tensor) -> Tensor:
    """Rows in float32, those of huge entries shrunk, which a layer norm does not notice but its squares do."""
    x = x if x.dtype == torch.float64 else x.float()
    return (x / (x.abs().amax(1, keepdim=True) / 1e15).clamp_min(1)).float()
