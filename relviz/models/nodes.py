"""Latent nodes: any place of a network can be looked at, without changing the network.

`NAME` is what the module of that name gives, `NAME:input` what goes into it, both as the network's own `named_modules`
call it; `encode()` is what its method of that name gives. Feature maps and token sequences become one vector by their
mean over space or tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from relviz.core.heads import LinearHead
from relviz.errors import BadChoice, UnknownName

OUTPUT = "output()"  # the node of what the network itself gives
ENCODE = "encode()"
_INPUT = ":input"


def last_linear(network: nn.Module) -> str | None:
    """Name of the linear layer that a network registers last.

    >>> last_linear(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.LogSoftmax(1)))
    '2'
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    return names[-1] if names else None


def default_node(network: nn.Module) -> str:
    """The method `encode` where there is one, else what goes into the last linear layer, else the output.

    >>> default_node(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)))
    '1:input'
    """
    if callable(getattr(network, "encode", None)):
        return ENCODE
    name = last_linear(network)
    return OUTPUT if name is None else name + _INPUT


def look(network: nn.Module, inputs: tuple[Any, ...], nodes: Sequence[str]) -> list[Any]:
    """What passes the nodes in one run of the network.

    Raises
    ------
    UnknownName: no such module.
    BadChoice: the network does not come by there.

    >>> network = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    >>> [tuple(seen.shape) for seen in look(network, (torch.zeros(5, 4),), ["0", "0:input", OUTPUT])]
    [(5, 3), (5, 4), (5, 2)]
    """
    seen: dict[str, Any] = {}
    with ExitStack() as hooks:
        for node in nodes:
            if node not in (OUTPUT, ENCODE):
                hooks.callback(_hook(network, node, seen).remove)
        if any(node != ENCODE for node in nodes):
            seen[OUTPUT] = network(*inputs)
    if ENCODE in nodes:
        seen[ENCODE] = network.get_submodule("").encode(*inputs)  # type: ignore[operator] # default_node looked
    for node in nodes:
        if node not in seen:
            raise BadChoice(f"The network does not use '{node}' when it reads samples.", "Name another latent node.")
    return [seen[node] for node in nodes]


def vectors(passed: Any, node: str, mask: Tensor | None = None) -> Tensor:
    """One vector per sample, `b x d`, of what passed a node.

    Parameters
    ----------
    mask: `b x t`, 1 where a text has a token.

    Raises
    ------
    BadChoice: no numbers, or no form that can be made vectors of.

    >>> vectors(torch.ones(5, 3, 2, 2), "layer").shape
    torch.Size([5, 3])
    """
    if isinstance(passed, tuple | list) and passed:
        passed = passed[0]
    if not isinstance(passed, Tensor) or not passed.is_floating_point() or not 2 <= passed.ndim <= 5:
        raise BadChoice(f"What passes the latent node '{node}' are no vectors.", "Name another latent node.")
    if passed.ndim == 3 and mask is not None:
        return mean_of_tokens(passed, mask)
    if passed.ndim == 3:
        return passed.mean(1)
    return passed.flatten(2).mean(2) if passed.ndim > 3 else passed


def mean_of_tokens(tokens: Tensor, mask: Tensor) -> Tensor:
    """Mean `b x d` of the tokens `b x t x d` that the mask `b x t` marks with 1."""
    weights = mask.unsqueeze(2).to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1).clamp_min(1)


def native_head(network: nn.Module, latent: Tensor, output: Any) -> tuple[str, LinearHead] | None:
    """Name and head of the linear layer that makes the network's output of its latent vectors, where there is one.

    A softmax after it does not count, for it changes no decision.
    """
    name = last_linear(network)
    if name is None or not isinstance(output, Tensor) or output.ndim != 2:
        return None
    layer: Any = network.get_submodule(name)
    if layer.in_features != latent.shape[1] or layer.out_features != output.shape[1]:
        return None
    own = layer(latent)
    if not any(torch.allclose(output, end(own), atol=1e-4, rtol=1e-3) for end in _ENDS):
        return None
    return name, linear_head(layer.weight, layer.bias)


def linear_head(weight: Tensor, bias: Tensor | None) -> LinearHead:
    """The head of a linear layer's weight `c x d` and bias `c`."""
    offset = torch.zeros(len(weight)) if bias is None else bias.detach().cpu().float()
    return LinearHead(weight.detach().T.cpu().float(), offset)


def _log_softmax(scores: Tensor) -> Tensor:
    return scores.log_softmax(1)


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(1)


_ENDS: tuple[Callable[[Tensor], Tensor], ...] = (torch.Tensor.clone, _log_softmax, _softmax)


def _hook(network: nn.Module, node: str, seen: dict[str, Any]) -> Any:
    name = node.removesuffix(_INPUT)
    modules = dict(network.named_modules())
    if name not in modules or not name:
        raise UnknownName("latent node", node, filter(None, modules))
    if node == name:
        return modules[name].register_forward_hook(lambda _module, _inputs, given: seen.update({node: given}))
    return modules[name].register_forward_pre_hook(lambda _module, inputs: seen.update({node: inputs[0]}))
