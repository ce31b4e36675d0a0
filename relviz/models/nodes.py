"""Latent nodes: any place of a network can be looked at, without changing the network.

`NAME` is what the module of that name gives, `NAME:input` what goes into it, both as the network's own `named_modules`
call it; `encode()` is what its method of that name gives. Feature maps and token sequences become one vector by their
mean over space or tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from relviz.core.heads import LinearHead
from relviz.errors import BadChoice, UnknownName

OUTPUT = "output()"  # the node of what the network itself gives; one that only encodes gives its latent vectors
ENCODE = "encode()"
MOST_LAYERS = 12
_INPUT = ":input"
_LISTS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


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
            seen[OUTPUT] = _run(network, inputs)
    if ENCODE in nodes:
        seen[ENCODE] = network.get_submodule("").encode(*inputs)  # type: ignore[operator] # default_node looked
    for node in nodes:
        if node not in seen:
            raise BadChoice(f"The network does not use '{node}' when it reads samples.", "Name another latent node.")
    return [seen[node] for node in nodes]


def layers(network: nn.Module, inputs: tuple[Any, ...], mask: Tensor | None = None) -> dict[str, int]:
    """Latent nodes of a network's layers in the order of computation, with the widths of their vectors.

    A layer is a module with a matrix of weights, or a block of such, together with the modules without one that come
    next, such as normalisation, activation and pooling; its node is what the last of these gives. Lists of modules and
    a module that holds most of the others are looked into. Of more than `MOST_LAYERS`, so many are taken in even steps,
    the first and the last among them.

    Parameters
    ----------
    mask: as in `vectors`.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    >>> layers(network.eval(), (torch.zeros(2, 1, 8, 8),))
    {'2': 4, '4': 10}
    """
    seen: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name, _ in network.named_modules():
            if name:
                hooks.callback(_hook(network, name, seen).remove)
        _run(network, inputs)
    parts, widths, last = dict(_parts(network, list(seen))), {}, list[str]()
    for name in (name for name in seen if name in parts):
        widths[name] = _width(seen[name], name, len(inputs[0]), mask)
        if widths[name] and any(weights.ndim > 1 for weights in parts[name].parameters()):
            last.append(name)
        elif widths[name] and last:
            last[-1] = name
    return {name: widths[name] for name in _thinned(last)}


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


def _run(network: nn.Module, inputs: tuple[Any, ...]) -> Any:
    if type(network).forward is nn.Module.forward:
        return network.get_submodule("").encode(*inputs)  # type: ignore[operator] # what else could it do
    return network(*inputs)


def _parts(module: nn.Module, ran: list[str], prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Modules by name; in place of lists, and of one that holds most of the modules that ran, what they consist of."""
    for name, child in module.named_children():
        held = sum(other.startswith(f"{prefix}{name}.") for other in ran)
        if isinstance(child, _LISTS) or held > len(ran) / 2:
            yield from _parts(child, ran, f"{prefix}{name}.")
        elif not isinstance(child, nn.Flatten):  # its input says the same in fewer numbers
            yield prefix + name, child


def _width(passed: Any, node: str, n: int, mask: Tensor | None) -> int:
    """Width of the vectors of n samples that pass a node, 0 where none do."""
    try:
        found = vectors(passed, node, mask)
    except BadChoice:
        return 0
    return found.shape[1] if len(found) == n else 0


def _thinned(names: list[str]) -> list[str]:
    if len(names) <= MOST_LAYERS:
        return names
    return [names[round(i * (len(names) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]


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

    def note(given: Any) -> None:
        seen.pop(node, None)  # what a module gives last counts, in the order of these
        seen[node] = given

    if node == name:
        return modules[name].register_forward_hook(lambda _module, _inputs, given: note(given))
    return modules[name].register_forward_pre_hook(lambda _module, inputs: note(inputs[0]))
