"""Aggregations fitted together with their heads, and tuned to a foreign encoder."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relviz.core.aggregations.entry import AGGREGATIONS
from relviz.core.aggregations.module import Aggregation
from relviz.core.fitting import Watch, seeded, train, unwatched
from relviz.core.heads import check_labels, share_right
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.heads.mlp import mlp
from relviz.errors import BadChoice, UnknownName

_BLOCK = 8192  # rows read at once
HEAD_KINDS = ("ridge", "linear", "mlp")


@dataclass(frozen=True)
class Aggregated:
    """A fitted aggregation with its head. Neither is ever changed; `tune` returns another.

    Attributes
    ----------
    name: a key of `AGGREGATIONS`.
    """

    name: str
    aggregation: Aggregation
    head: nn.Module

    @torch.no_grad()
    def represent(self, spaces: Sequence[Float[Tensor, "n k"]]) -> Float[Tensor, "n w"]:
        """What the head reads.

        Raises
        ------
        BadChoice: another number of spaces or anchors than fitted on, or values that are not finite.
        """
        x = _stacked(spaces, self.name)
        if x.shape[1:] != (self.aggregation.count, self.aggregation.width):
            raise BadChoice(
                f"There are {x.shape[1]} spaces of {x.shape[2]} anchors, fitted were {self.aggregation.count} of "
                f"{self.aggregation.width}.",
                "Give the same projections to as many anchors.",
            )
        return torch.cat([self.aggregation(part) for part in x.split(_BLOCK)])

    @torch.no_grad()
    def scores(self, spaces: Sequence[Float[Tensor, "n k"]]) -> Float[Tensor, "n c"]:
        """Class scores, in float64."""
        return self.head(self.represent(spaces).to(_dtype(self.head))).double()

    def accuracy(self, spaces: Sequence[Float[Tensor, "n k"]], labels: Int[Tensor, "n"]) -> float:
        """Share of rows whose best score is at their label, in [0, 1]."""
        return share_right(self.scores(spaces), labels)


def fit_aggregation(
    spaces: Sequence[Float[Tensor, "n k"]],
    labels: Int[Tensor, "m"],
    *,
    classes: int,
    name: str,
    head: str = "",
    penalty: float = 1.0,
    epochs: int = 5,
    batch: int = 256,
    rate: float = 1e-3,
    seed: int = 0,
    watch: Watch = unwatched,
) -> Aggregated:
    """An aggregation and its head, fitted on the relative spaces of a gallery; equal seeds give equal results.

    Source: 2310.01211.

    Parameters
    ----------
    spaces: relative spaces of the same samples to the same anchors, in an order that stitching must keep.
    labels: classes 0 to `classes` - 1.
    name: a key of `AGGREGATIONS`.
    head: "ridge" (closed form, only without learned parameters), "linear" or "mlp" (both trained along with the
        aggregation by Adam on cross-entropy); empty for "ridge" where possible, else "linear".
    penalty: of the ridge head, in mean eigenvalues of the covariance, above 0.
    epochs, batch, rate, seed: of the training; unused by a ridge head.
    watch: told which share of the training is done.

    Raises
    ------
    UnknownName: no such aggregation.
    BadChoice: no spaces, spaces of unlike shapes, values that are not finite, labels or options out of range.

    >>> spaces = [torch.eye(4), 1 - torch.eye(4)]
    >>> fit_aggregation(spaces, torch.tensor([0, 1, 0, 1]), classes=2, name="sum").scores(spaces).shape
    torch.Size([4, 2])
    """
    if name not in AGGREGATIONS:
        raise UnknownName("aggregation", name, AGGREGATIONS)
    trained = AGGREGATIONS[name].trained
    head = head or ("linear" if trained else "ridge")
    if head not in HEAD_KINDS or (trained and head == "ridge"):
        raise BadChoice(f"The aggregation {name} cannot end in the head {head!r}.", "Choose linear or mlp.")
    x = _stacked(spaces, name)
    check_labels(labels, rows=len(x), classes=classes)
    count, width = x.shape[1:]
    if head == "ridge":
        return _with_ridge(name, AGGREGATIONS[name].function(count, width), x, labels, classes, penalty)

    def build() -> nn.Sequential:
        aggregation = AGGREGATIONS[name].function(count, width)
        out = aggregation.out_width
        return nn.Sequential(aggregation, mlp(out, classes) if head == "mlp" else nn.Linear(out, classes))

    network = seeded(build, seed=seed).to(x.device)
    steps = epochs * math.ceil(len(x) / max(1, batch))
    parameters = list(network.parameters())
    train(network, parameters, x.float(), labels, steps=steps, batch=batch, rate=rate, seed=seed, watch=watch)
    return Aggregated(name, cast(Aggregation, network[0]), network[1])


def tune(
    fitted: Aggregated,
    spaces: Sequence[Float[Tensor, "n k"]],
    labels: Int[Tensor, "m"],
    *,
    what: str,
    steps: int = 100,
    batch: int = 256,
    rate: float = 1e-3,
    seed: int = 0,
) -> Aggregated:
    """Fine-tuning at stitching time: only the blending or only the head learns, on rows of the foreign encoder.

    The fitted one stays as it is. Source: 2310.01211, which finds that blending (its "QKV opt") is the one that helps.

    Parameters
    ----------
    spaces, labels: a few rows of the foreign encoder, in relative spaces of the same projections and anchors.
    what: "blending" (query, key and value of attention, the weights of a weighted mean, the layers of mlp-sum) or
        "head".
    steps, batch, rate, seed: of Adam on cross-entropy.

    Raises
    ------
    BadChoice: nothing of that kind to tune, spaces of unlike shapes, values that are not finite, labels or options out
        of range.

    >>> spaces, labels = [torch.eye(4), 1 - torch.eye(4)], torch.tensor([0, 1, 0, 1])
    >>> fitted = fit_aggregation(spaces, labels, classes=2, name="weighted")
    >>> tune(fitted, spaces, labels, what="blending").head is fitted.head
    True
    """
    if what not in ("blending", "head"):
        raise BadChoice(f"There is no {what!r} to tune.", "Choose blending or head.")
    if what == "blending" and not fitted.aggregation.blending():
        raise BadChoice(f"The aggregation {fitted.name} has no blending to tune.", "Tune the head, or use attention.")
    seen = fitted.represent(spaces)
    classes = fitted.head(seen[:1].to(_dtype(fitted.head))).shape[1]
    check_labels(labels, rows=len(seen), classes=classes)
    if what == "head":
        head, seen = copy.deepcopy(fitted.head), seen.to(_dtype(fitted.head))
        train(head, list(head.parameters()), seen, labels, steps=steps, batch=batch, rate=rate, seed=seed)
        return replace(fitted, head=head)
    aggregation = copy.deepcopy(fitted.aggregation)
    network, x = nn.Sequential(aggregation, fitted.head), _stacked(spaces, fitted.name)
    train(network, aggregation.blending(), x, labels, steps=steps, batch=batch, rate=rate, seed=seed)
    return replace(fitted, aggregation=aggregation)


def _with_ridge(
    name: str, aggregation: Aggregation, x: Tensor, labels: Tensor, classes: int, penalty: float
) -> Aggregated:
    found = fit_ridge(aggregation(x), labels, classes=classes, penalty=penalty)
    head = nn.Linear(found.width, classes, dtype=torch.float64, device="meta").to_empty(device=x.device)
    head.requires_grad_(False)
    head.weight.copy_(found.weight.T)
    head.bias.copy_(found.bias)
    return Aggregated(name, aggregation, head)


def _stacked(spaces: Sequence[Tensor], name: str) -> Tensor:
    """Relative spaces as `n x count x k`, in float32 where the aggregation has parameters, else as precise as given."""
    if not spaces or any(space.shape != spaces[0].shape for space in spaces):
        shapes = ", ".join(str(tuple(space.shape)) for space in spaces) or "none"
        raise BadChoice(
            f"The relative spaces ({shapes}) do not match.", "Give one row per sample, one column per anchor."
        )
    double = not AGGREGATIONS[name].trained and all(space.dtype == torch.float64 for space in spaces)
    x = torch.stack([space.detach().to(torch.float64 if double else torch.float32) for space in spaces], dim=1)
    # The variance of a row must stay inside float32.
    if x.numel() and not float(x.abs().amax()) <= 1e15:
        raise BadChoice("The relative spaces hold values that are not finite or above 1e+15.", "Check the projections.")
    return x


def _dtype(head: nn.Module) -> torch.dtype:
    return next(head.parameters()).dtype
