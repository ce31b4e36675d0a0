"""A training on its way: everything that decides how it goes on, to be kept and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler


class Keeper(Protocol):
    """Where a training is kept between its epochs."""

    def read(self) -> tuple[dict[str, Tensor], Any] | None:
        """What was written last, or None."""

    def write(self, tensors: Mapping[str, Tensor], facts: Any) -> None:
        """Replace what was written before."""


class Course:
    """A network, its optimiser, and how far they are.

    Attributes
    ----------
    epoch: epochs done.
    waited: epochs since the best score, of at most `patience`; 0 of either where nothing is judged.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        *,
        schedule: LRScheduler | None = None,
        patience: int = 0,
    ) -> None:
        self.network, self.optimiser, self.schedule, self.patience = network, optimiser, schedule, patience
        self.epoch, self.waited = 0, 0
        self._best: float | None = None
        self._best_weights: dict[str, Tensor] = {}

    def run(self, epochs: int, one: Callable[[], float], keeper: Keeper | None, told: Callable[[float], None]) -> None:
        """Take it up where it was left, and go on to the last epoch, or until its patience is at an end.

        Parameters
        ----------
        one: trains one epoch and gives its loss, which is `told` once the epoch is kept.
        """
        stored = keeper.read() if keeper is not None else None
        if stored is not None:
            self._take_up(*stored)
        while self.epoch < epochs and not self.stopped:
            loss = one()
            self.epoch += 1
            if keeper is not None:
                keeper.write(self._tensors(), self._facts())
            told(loss)
        if self._best_weights:
            self.network.load_state_dict(self._best_weights)

    def step(self) -> None:
        """One step of the optimiser, and of its schedule."""
        self.optimiser.step()
        if self.schedule is not None:
            self.schedule.step()

    def judge(self, score: float) -> None:
        """Remember the weights if they have the best score so far; of the weights of a run the best count."""
        self.waited += 1
        if self._best is None or score > self._best:
            self._best, self.waited = score, 0
            self._best_weights = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    @property
    def stopped(self) -> bool:
        """Whether it has waited long enough."""
        return bool(self.patience) and self.waited >= self.patience

    def _tensors(self) -> dict[str, Tensor]:
        moments = self.optimiser.state_dict()["state"]
        return {
            "random": torch.get_rng_state(),
            **{f"network/{name}": tensor for name, tensor in self.network.state_dict().items()},
            **{f"best/{name}": tensor for name, tensor in self._best_weights.items()},
            **{f"optimiser/{i}/{name}": tensor for i, held in moments.items() for name, tensor in held.items()},
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "waited": self.waited,
            "best": self._best,
            "groups": self.optimiser.state_dict()["param_groups"],
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
        }

    def _take_up(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        self.epoch, self.waited, self._best = facts["epoch"], facts["waited"], facts["best"]
        self.network.load_state_dict(_under("network/", tensors))
        self._best_weights = _under("best/", tensors)
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimiser/", tensors).items():
            i, _, what = name.partition("/")
            moments.setdefault(int(i), {})[what] = _laid_out_as(parameters[int(i)], tensor)
        self.optimiser.load_state_dict({"state": moments, "param_groups": facts["groups"]})
        if self.schedule is not None:
            self.schedule.load_state_dict(facts["schedule"])
        torch.set_rng_state(tensors["random"])


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _laid_out_as(parameter: Tensor, moment: Tensor) -> Tensor:
    """In the parameter's memory format: sums in another order would end in other digits."""
    return torch.empty_like(parameter).copy_(moment).detach() if moment.shape == parameter.shape else moment
