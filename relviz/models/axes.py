"""Which axis of what passes a network's modules holds the channels, that is, the numbers that make a vector.

Layouts differ: images may be `n x c x h x w` or, as in Swin, `n x h x w x c`; signals `n x c x t`; tokens `n x t x c`.
The network itself says which: by the kind of the module that gives or reads a tensor, by the width of its weights, or
by what stays when the input's size changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, conv, pooling

from relviz.models.watching import ENCODE, INPUT, OUTPUT, Call, answers, first_tensor, run, watched

_POOLINGS = (pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd)
_SECOND = (conv._ConvNd, batchnorm._NormBase, nn.GroupNorm, *_POOLINGS)
_LAST = (nn.Linear, nn.Embedding, nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.RNNBase)
_PLAIN_NORMS = (nn.LayerNorm.forward, nn.RMSNorm.forward)  # subclasses may turn the axes round
_Key = tuple[int, torch.Size, tuple[int, ...]]


def channel_axes(network: nn.Module, inputs: tuple[Any, ...]) -> dict[str, int | None]:
    """The axis of channels at every latent node of one run, None where nothing says which one it is.

    Nodes that do not have the samples on axis 0 are left out.

    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1))
    >>> channel_axes(network, (torch.zeros(2, 1, 9),))["1"]
    1
    """
    calls, output = _ran(network, inputs)
    nodes = _nodes(calls, output)
    said = _said(calls)
    found = {node: _only(said[_key(tensor)]) for node, tensor in nodes.items()}
    if any(found[node] is None and _spread(tensor) for node, tensor in nodes.items()):
        staying = _staying(network, inputs, nodes)
        by_shape = _by_shape(calls)
        for node, tensor in nodes.items():
            if found[node] is None:
                found[node] = staying.get(node, by_shape.get(tensor.shape))
    for node, tensor in nodes.items():
        if found[node] is None and not _spread(tensor):
            found[node] = 1 + tensor.shape[1:].index(max(tensor.shape[1:]))
    return {node: axis for node, axis in found.items() if len(nodes[node]) == len(inputs[0])}


def usual_axis(passed: Tensor) -> int:
    """The axis to assume where nothing says which: 1 of maps, the last one of tokens."""
    return 1 if passed.ndim > 3 else passed.ndim - 1


def _ran(network: nn.Module, inputs: tuple[Any, ...]) -> tuple[list[Call], Any]:
    with watched(network) as calls:
        output = run(network, inputs)
        if answers(network) and callable(encode := getattr(network, "encode", None)):
            with suppress(Exception):  # it is looked at where it is the latent node, and then its error is told
                calls.append(Call(ENCODE, network, None, first_tensor(encode(*inputs))))
    return calls, output


def _nodes(calls: list[Call], output: Any) -> dict[str, Tensor]:
    """What passes the latent nodes, where that can be made vectors of."""
    passed: dict[str, Tensor | None] = {}
    for call in calls:
        passed[call.name] = call.gave
        passed[call.name + INPUT] = call.given
    passed[OUTPUT] = first_tensor(output)
    return {node: tensor for node, tensor in passed.items() if tensor is not None and 2 <= tensor.ndim <= 5}


def _said(calls: list[Call]) -> Mapping[_Key, set[int]]:
    """Axes that modules name for the tensors they give and read; those that keep a shape pass it on."""
    found: dict[_Key, set[int]] = defaultdict(set)
    for tensor, axis in _evidence(calls):
        found[_key(tensor)].add(axis)
    same = [
        (_key(call.given), _key(call.gave))
        for call in calls
        if call.given is not None and call.gave is not None and call.given.shape == call.gave.shape
    ]
    for pairs in (same, same[::-1]):
        for a, b in pairs:
            if not found[a] or not found[b]:
                found[a] |= found[b]
                found[b] |= found[a]
    return found


def _by_shape(calls: list[Call]) -> dict[torch.Size, int]:
    """The axis that modules name for all tensors of a shape, where no other axis is as long."""
    found: dict[torch.Size, set[int]] = defaultdict(set)
    for tensor, axis in _evidence(calls):
        if list(tensor.shape[1:]).count(tensor.shape[axis]) == 1:
            found[tensor.shape].add(axis)
    return {shape: next(iter(axes)) for shape, axes in found.items() if len(axes) == 1}


def _evidence(calls: list[Call]) -> Iterator[tuple[Tensor, int]]:
    for call in calls:
        for tensor, out in ((call.given, False), (call.gave, True)):
            if tensor is not None and 2 <= tensor.ndim <= 5:
                axis = _named(call.module, tensor, out)
                if axis is not None:
                    yield tensor, axis


def _named(module: nn.Module, tensor: Tensor, out: bool) -> int | None:
    """The axis that a module's kind or width names for what it reads or gives."""
    if isinstance(module, _SECOND):
        return 1
    if isinstance(module, _LAST) or type(module).forward in _PLAIN_NORMS:
        wide = len(getattr(module, "normalized_shape", (1,))) == 1
        return tensor.ndim - 1 if wide and (out or tensor.is_floating_point()) else None
    width = getattr(module, "weight", None)
    if not isinstance(width, Tensor) or width.ndim != 1 or any(module.children()):
        return None
    axes = [axis for axis in range(1, tensor.ndim) if tensor.shape[axis] == len(width)]
    return axes[0] if len(axes) == 1 else None


def _staying(network: nn.Module, inputs: tuple[Any, ...], nodes: Mapping[str, Tensor]) -> dict[str, int]:
    """The axis that stays as long as it is when the input grows, of nodes where all others grow with it."""
    larger = _larger(inputs)
    if larger is None:
        return {}
    output = None
    with watched(network) as calls, suppress(Exception):  # up to where it reads no other size
        output = run(network, larger)
    found = {}
    for node, grown in _nodes(calls, output).items():
        before = nodes[node].shape if node in nodes else torch.Size()
        if grown.ndim == len(before) > 2:
            stay = [axis for axis in range(1, grown.ndim) if grown.shape[axis] == before[axis]]
            if len(stay) == 1:
                found[node] = stay[0]
    return found


def _larger(inputs: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
    """Larger images or longer vectors."""
    samples = inputs[0]
    if len(inputs) > 1 or not samples.is_floating_point():
        return None
    if samples.ndim == 2:
        return (torch.cat([samples, samples], 1),)
    side = samples.shape[-1]
    return (nn.functional.interpolate(samples, size=2 * side if side < 64 else side + 32),)


def _spread(tensor: Tensor) -> bool:
    """Whether more than one axis beside that of the samples has a length."""
    return sum(length > 1 for length in tensor.shape[1:]) > 1


def _key(tensor: Tensor) -> _Key:
    """Equal for tensors that share their numbers and their form; all are alive while they are compared."""
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def _only(axes: set[int]) -> int | None:
    return next(iter(axes)) if len(axes) == 1 else None
