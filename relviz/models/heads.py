"""A network's own head, found by running it: the layer whose output becomes the network's.

What a layer gives is exchanged for noise; where the network then gives that very noise, up to a mean over space or
tokens and a step that changes no decision, the layer is the head, whatever it is called and wherever it was registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from relviz.core.heads import LinearHead
from relviz.models.watching import INPUT, Call, answers, first_tensor, run, tensors_in, watched

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Maker:
    """The layer that makes a network's output.

    Attributes
    ----------
    node: the latent node before it.
    layer: its name; None where it is no module of its own, and the node is what the last module before it gives.
    head: what it is as a linear head, None where more than that lies between node and output.
    chosen: whether there was a choice: another linear layer is registered later, or the output has several parts.
    """

    node: str
    layer: str | None
    head: LinearHead | None
    chosen: bool

    def note(self, name: str) -> tuple[str, ...]:
        """What is assumed of the model of that name by taking this node, in one sentence, if anything."""
        taken = f"Latent vectors of '{name}' are what "
        end = "name another with --latent if that is wrong."
        if self.layer is None:
            said = f"'{self.node}' gives, the last module before the layer that makes the network's output, which is"
            return (f"{taken}{said} no module of its own, so that its own head is not known; {end}",)
        if self.head is None:
            said = f"goes into '{self.layer}', the last layer before the network's output; more than a linear layer"
            return (f"{taken}{said} lies between the two, so that its own head is left out; {end}",)
        said = f"goes into '{self.layer}', the layer that makes the network's output; {end}"
        return (taken + said,) if self.chosen else ()


def maker_of(network: nn.Module, inputs: tuple[Any, ...]) -> Maker | None:
    """The layer that makes a network's output, None where that is no vector of scores or no module has a part in it.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.LogSoftmax(1))
    >>> maker_of(network.eval(), (torch.rand(3, 4),)).node
    '3:input'
    """
    if not answers(network):
        return None
    with watched(network) as calls:
        whole = run(network, inputs)
    output = _scores(whole)
    if output is None or output.ndim != 2:
        return None
    calls = [call for call in calls if call.gave is not None and len(call.gave) == len(output)]
    for call in _innermost(calls, weighty=True):
        swapped = _swapped(network, inputs, call)
        if swapped is None or _alike(swapped[1], output):
            continue
        if call.gave is not None and _pooled(call, call.gave).shape[1] != output.shape[1]:
            break  # the network goes on where there are no modules
        chosen = call.name != last_linear(network) or tensors_in(whole) > 1
        return Maker(call.name + INPUT, call.name, _exact(call, *swapped), chosen)
    return _before_the_end(network, inputs, calls, output)


def native_head(maker: Maker | None, node: str, latent: Tensor, output: Any) -> LinearHead | None:
    """The network's own head for the vectors of a node, where it makes the network's output of them.

    A softmax, log-softmax or sigmoid and a positive factor after it do not count, for they change no decision.
    """
    scores = _scores(output)
    if maker is None or maker.head is None or scores is None or maker.head.weight.shape[0] != latent.shape[1]:
        return None
    if node != maker.node and _constant(latent):
        return None  # these samples cannot tell
    return maker.head if _ends(maker.head.scores(latent.cpu()), scores.cpu()) else None


def last_linear(network: nn.Module) -> str | None:
    """Name of the linear layer that a network registers last.

    >>> last_linear(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.LogSoftmax(1)))
    '2'
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    return names[-1] if names else None


def linear_head(weight: Tensor, bias: Tensor | None) -> LinearHead:
    """The head of a linear layer's weight `c x d` and bias `c`."""
    offset = torch.zeros(len(weight)) if bias is None else bias.detach().cpu().float()
    return LinearHead(weight.detach().T.cpu().float(), offset)


def _before_the_end(network: nn.Module, inputs: tuple[Any, ...], calls: Sequence[Call], output: Tensor) -> Maker | None:
    """The last module that the output depends on without being it."""
    for call in _innermost(calls, weighty=False):
        if call.gave is None or _scores(call.gave) is None or _alike(call.gave, output):
            continue
        swapped = _swapped(network, inputs, call)
        if swapped is not None and not _alike(swapped[1], output):
            return Maker(call.name, None, None, chosen=True)
    return None


def _innermost(calls: Sequence[Call], *, weighty: bool) -> Iterator[Call]:
    """Calls from the last to the first, of modules that called none; where only weights count, none with a matrix."""
    ran = [call for call in calls if not weighty or any(part.ndim > 1 for part in call.module.parameters())]
    names = {call.name for call in ran}
    outer = {name[:place] for name in names for place, letter in enumerate(name) if letter == "."}
    done = set[str]()
    for call in reversed(ran):
        if call.name not in outer | done:
            done.add(call.name)
            yield call


def _swapped(network: nn.Module, inputs: tuple[Any, ...], call: Call) -> tuple[Tensor, Tensor] | None:
    """Noise, and what the network gives where a module gives that noise; None where this cannot be."""
    if call.gave is None or not call.gave.is_floating_point():
        return None
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(call.gave.shape, generator=generator).to(call.gave)

    def exchange(_module: nn.Module, _inputs: Any, gave: Any) -> Any:
        return noise.clone() if isinstance(gave, Tensor) else (noise.clone(), *gave[1:])

    hook = call.module.register_forward_hook(exchange)
    try:
        output = _scores(run(network, inputs))
    except Exception:  # noqa: BLE001 anybody's code may fail on noise
        return None
    finally:
        hook.remove()
    return None if output is None else (noise, output)


def _exact(call: Call, noise: Tensor, output: Tensor) -> LinearHead | None:
    """The layer as a linear head, if the network's output is its own and it is linear."""
    layer: Any = call.module
    point = isinstance(layer, _CONVOLUTIONS) and set(layer.kernel_size) == {1} and layer.groups == 1
    if call.given is None or not (isinstance(layer, nn.Linear) or point):
        return None
    if not _ends(_pooled(call, noise), output):
        return None
    head = linear_head(layer.weight.flatten(1), layer.bias)
    tried = torch.randn(call.given.shape, generator=torch.Generator().manual_seed(1)).to(call.given)
    expected = head.scores(_pooled(call, tried).cpu().float())
    return head if _alike(_pooled(call, layer(tried)).cpu(), expected) else None


def _pooled(call: Call, passed: Tensor) -> Tensor:
    """The mean over space of what passes a convolution, over tokens of what passes anything else."""
    if passed.ndim < 3:
        return passed
    if isinstance(call.module, _CONVOLUTIONS):
        return passed.flatten(2).mean(2)
    return passed.flatten(1, -2).mean(1)


def _scores(output: Any) -> Tensor | None:
    """The first tensor of an output, without axes of length 1 at its end."""
    found = first_tensor(output)
    if found is None or not found.is_floating_point() or found.ndim < 2:
        return None
    return found.flatten(1) if found[0].numel() == found.shape[1] else found


def _constant(latent: Tensor) -> bool:
    return _alike(latent, latent[:1].expand_as(latent))


def _alike(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), atol=1e-4, rtol=1e-3)


def _ends(own: Tensor, output: Tensor) -> bool:
    """Whether an output is these scores, or what decides as they do."""
    return any(_alike(output, end(own)) for end in _SAME_DECISIONS) or _alike(output, own * _factor(own, output))


def _factor(own: Tensor, output: Tensor) -> Tensor:
    if own.shape != output.shape:
        return torch.zeros(())
    return ((own * output).sum() / (own * own).sum().clamp_min(1e-12)).clamp_min(1e-6)


_SAME_DECISIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    torch.clone,
    lambda scores: scores.log_softmax(1),
    lambda scores: scores.softmax(1),
    torch.sigmoid,
)
