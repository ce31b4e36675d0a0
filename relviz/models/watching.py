"""Watching a network run: what each of its modules reads and gives, in the order of computation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from torch import Tensor, nn

OUTPUT = "output()"  # the node of what the network itself gives; one that only encodes gives its latent vectors
ENCODE = "encode()"
INPUT = ":input"


@dataclass(frozen=True)
class Call:
    """One call of a module: the first tensors of what it read and gave, None where there was none."""

    name: str
    module: nn.Module
    given: Tensor | None
    gave: Tensor | None


def first_tensor(passed: Any) -> Tensor | None:
    """What counts of what a module gives: of several things their `logits`, or else the first tensor that is no number.

    >>> import torch
    >>> first_tensor(({"loss": torch.ones(()), "logits": torch.zeros(2, 3)}, torch.ones(2))).shape
    torch.Size([2, 3])
    """
    if isinstance(passed, Tensor):
        return passed if passed.ndim else None
    return next((found for part in _parts(passed) if (found := first_tensor(part)) is not None), None)


def tensors_in(passed: Any) -> int:
    """How many tensors there are to choose from."""
    return 1 if isinstance(passed, Tensor) else sum(map(tensors_in, _parts(passed)))


def run(network: nn.Module, inputs: tuple[Any, ...]) -> Any:
    """What a network gives; one without `forward` encodes."""
    if not answers(network):
        return network.get_submodule("").encode(*inputs)  # type: ignore[operator] # what else could it do
    return network(*inputs)


def answers(network: nn.Module) -> bool:
    """Whether a network has a `forward`."""
    return type(network).forward is not nn.Module.forward


@contextmanager
def watched(network: nn.Module) -> Iterator[list[Call]]:
    """A list that the calls of the network's modules are written to as they end, while this lasts."""
    ended: list[Call] = []
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if name:
                hooks.callback(_noted(ended, name, module).remove)
        yield ended


def given_to(inputs: tuple[Any, ...], named: Mapping[str, Any]) -> Tensor | None:
    """The first tensor that a module is called with, by place or by name."""
    return first_tensor([*inputs, *named.values()])


def _noted(ended: list[Call], name: str, module: nn.Module) -> Any:
    def note(_module: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any], gave: Any) -> None:
        ended.append(Call(name, module, given_to(inputs, named), first_tensor(gave)))

    return module.register_forward_hook(note, with_kwargs=True)


def _parts(passed: Any) -> list[Any]:
    if isinstance(passed, Mapping):
        named = dict(passed)
    elif is_dataclass(passed) and not isinstance(passed, type):
        named = {part.name: getattr(passed, part.name) for part in fields(passed)}
    elif hasattr(passed, "_asdict"):
        named = passed._asdict()
    else:
        return list(passed) if isinstance(passed, tuple | list) else []
    return [named["logits"]] if isinstance(named.get("logits"), Tensor) else list(named.values())
