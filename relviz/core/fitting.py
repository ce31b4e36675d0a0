"""Networks trained on vectors: a seeded start and a plain training loop, shared by heads and aggregations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relviz.errors import BadChoice

M = TypeVar("M", bound=nn.Module)
Watch: TypeAlias = Callable[[float], None]  # told which share is done; what it raises ends the work


def unwatched(_share: float) -> None:
    """Nobody looks.

    Raises nothing.

    >>> unwatched(0.5)
    """


def seeded(build: Callable[[], M], *, seed: int) -> M:
    """A network with the usual random start of its linear layers, drawn from a stream of its own.

    Raises nothing but what `build` raises.

    >>> first, second = (seeded(lambda: nn.Linear(2, 3), seed=1) for _ in range(2))
    >>> first.weight.equal(second.weight)
    True
    """
    # Building draws from the global stream; leave it as it was.
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        network = build()
    generator = torch.Generator().manual_seed(max(0, seed))
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            for values in layer.parameters():
                nn.init.uniform_(values, -(layer.in_features**-0.5), layer.in_features**-0.5, generator=generator)
    return network


def train(
    network: nn.Module, parameters: list[nn.Parameter], x: Float[Tensor, "n ..."], labels: Int[Tensor, "m"],
    *, steps: int, batch: int, rate: float, seed: int, watch: Watch = unwatched,
) -> None:  # fmt: skip
    """Trains the given parameters of a network in place, by Adam on cross-entropy; all others stay as they are.

    Parameters
    ----------
    watch: told before each step which share is done.

    Raises
    ------
    BadChoice: a negative number of steps or seed, an empty batch, a rate that is not above 0.

    >>> x, labels = torch.eye(2), torch.tensor([1, 0])
    >>> network = seeded(lambda: nn.Linear(2, 2), seed=0)
    >>> train(network, list(network.parameters()), x, labels, steps=200, batch=2, rate=0.1, seed=0)
    >>> network(x).argmax(1).tolist()
    [1, 0]
    """
    if steps < 0 or seed < 0 or batch < 1 or not 0 < rate < float("inf"):
        raise BadChoice(f"{steps} steps of {batch} rows, rate {rate}, seed {seed} cannot be run.", "See the ranges.")
    with torch.inference_mode(False), torch.enable_grad():
        network.requires_grad_(False)
        for values in parameters:
            values.requires_grad_(True)
        optimiser = torch.optim.Adam(parameters, lr=rate)
        generator, waiting = torch.Generator().manual_seed(seed), list[Tensor]()
        for step in range(steps):  # pass after pass over all rows, each in another order
            watch(step / steps)
            waiting = waiting or list(torch.randperm(len(x), generator=generator).split(batch))
            rows = waiting.pop(0).to(x.device)
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), labels[rows].long()).backward()
            optimiser.step()
        network.requires_grad_(False)
