"""Latent nodes: any place of a network can be looked at, without changing the network.

`NAME` is what the module of that name gives, `NAME:input` what goes into it, both as the network's own `named_modules`
call it; `encode()` is what its method of that name gives. Feature maps and token sequences become one vector by their
mean over space or tokens; which axis is left is looked for in `relviz.models.axes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn

from relviz.errors import BadChoice, UnknownName
from relviz.models.axes import usual_axis
from relviz.models.watching import ENCODE, INPUT, OUTPUT, first_tensor, given_to, run

MOST_LAYERS = 12
_LISTS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def look(network: nn.Module, inputs: tuple[Any, ...], nodes: Sequence[str]) -> list[Any]:
    """What passes the nodes in one run of the network.

    Raises
    ------
    UnknownName: no such module.
    BadChoice: the network does not come by there.

    >>> import torch
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
            seen[OUTPUT] = run(network, inputs)
    if ENCODE in nodes:
        seen[ENCODE] = network.get_submodule("").encode(*inputs)  # type: ignore[operator] # the caller looked
    for node in nodes:
        if node not in seen:
            raise BadChoice(f"The network does not use '{node}' when it reads samples.", "Name another latent node.")
    return [seen[node] for node in nodes]


def layers(
    network: nn.Module, inputs: tuple[Any, ...], axes: Mapping[str, int | None], mask: Tensor | None = None
) -> dict[str, int]:
    """Latent nodes of a network's layers in the order of computation, with the widths of their vectors.

    A layer is a module with a matrix of weights, or a block of such, together with the modules without one that come
    next, such as normalisation, activation and pooling; its node is what the last of these gives. Lists of modules and
    a module that holds most of the others are looked into. Of more than `MOST_LAYERS`, so many are taken in even steps,
    the first and the last among them. What has no known axis of channels is no layer.

    Parameters
    ----------
    axes: of channels at every node, see `channel_axes`.
    mask: as in `vectors`.

    >>> import torch
    >>> from relviz.models.axes import channel_axes
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    >>> images = (torch.zeros(2, 1, 8, 8),)
    >>> layers(network.eval(), images, channel_axes(network, images))
    {'2': 4, '4': 10}
    """
    seen: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name, _ in network.named_modules():
            if name:
                hooks.callback(_hook(network, name, seen).remove)
        run(network, inputs)
    parts, widths, last = dict(_parts(network, list(seen))), {}, list[str]()
    for name in (name for name in seen if name in parts):
        widths[name] = _width(seen[name], len(inputs[0]), axes.get(name, 0), mask)
        if widths[name] and any(weights.ndim > 1 for weights in parts[name].parameters()):
            last.append(name)
        elif widths[name] and last:
            last[-1] = name
    return {name: widths[name] for name in _thinned(last)}


def vectors(passed: Any, node: str, axis: int | None, mask: Tensor | None = None) -> Tensor:
    """One vector per sample, `b x d`, of what passed a node.

    Parameters
    ----------
    axis: of the channels; over all others but that of the samples the mean is taken. None assumes the usual one.
    mask: `b x t`, 1 where a text has a token.

    Raises
    ------
    BadChoice: no numbers, or no form that can be made vectors of.

    >>> import torch
    >>> vectors(torch.ones(5, 3, 2, 2), "layer", 1).shape
    torch.Size([5, 3])
    """
    tensor = first_tensor(passed)
    if tensor is None or not tensor.is_floating_point() or not 2 <= tensor.ndim <= 5:
        raise BadChoice(f"What passes the latent node '{node}' are no vectors.", "Name another latent node.")
    if tensor.ndim == 2:
        return tensor
    if tensor.ndim == 3 and mask is not None:
        return mean_of_tokens(tensor, mask)
    kept = usual_axis(tensor) if axis is None else axis
    return tensor.mean([other for other in range(1, tensor.ndim) if other != kept])


def mean_of_tokens(tokens: Tensor, mask: Tensor) -> Tensor:
    """Mean `b x d` of the tokens `b x t x d` that the mask `b x t` marks with 1."""
    weights = mask.unsqueeze(2).to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1).clamp_min(1)


def _parts(module: nn.Module, ran: list[str], prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Modules by name; in place of lists, and of one that holds most of the modules that ran, what they consist of."""
    for name, child in module.named_children():
        held = sum(other.startswith(f"{prefix}{name}.") for other in ran)
        if isinstance(child, _LISTS) or held > len(ran) / 2:
            yield from _parts(child, ran, f"{prefix}{name}.")
        elif not isinstance(child, nn.Flatten):  # its input says the same in fewer numbers
            yield prefix + name, child


def _width(passed: Any, n: int, axis: int | None, mask: Tensor | None) -> int:
    """Width of the vectors of n samples that pass a node, 0 where none do or their axis is not known."""
    tensor = first_tensor(passed)
    tokens = mask is not None and tensor is not None and tensor.ndim == 3
    if tensor is None or len(tensor) != n or axis == 0 or (axis is None and not tokens):
        return 0
    try:
        return vectors(tensor, "", axis, mask).shape[1]
    except BadChoice:
        return 0


def _thinned(names: list[str]) -> list[str]:
    if len(names) <= MOST_LAYERS:
        return names
    return [names[round(i * (len(names) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]


def _hook(network: nn.Module, node: str, seen: dict[str, Any]) -> Any:
    name = node.removesuffix(INPUT)
    modules = dict(network.named_modules())
    if name not in modules or not name:
        raise UnknownName("latent node", node, filter(None, modules))

    def note(given: Any) -> None:
        seen.pop(node, None)  # what a module gives last counts, in the order of these
        seen[node] = given

    if node == name:
        return modules[name].register_forward_hook(lambda _module, _inputs, given: note(given))
    return modules[name].register_forward_pre_hook(
        lambda _module, inputs, named: note(given_to(inputs, named)), with_kwargs=True
    )
