"""A network tried once on made-up samples: its latent node, layout and axes, and what is assumed about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from relviz.errors import BadChoice, RelvizError, one_line
from relviz.models.axes import usual_axis
from relviz.models.encoder import NetworkEncoder
from relviz.models.heads import Maker, maker_of
from relviz.models.preprocessing import Pictures, Reads
from relviz.models.watching import ENCODE, OUTPUT, answers, first_tensor

_HINT = "Name another latent node."


@dataclass(frozen=True)
class Trial:
    """What one run of a network showed.

    Attributes
    ----------
    latent, output: latent vectors of a few samples, and what the network gave; None where it only encodes.
    maker: the layer that makes that output, see `relviz.models.heads`.
    axis: of the channels at the latent node, where it is not the usual one.
    notes: as in `Model`.
    """

    encoder: NetworkEncoder
    latent: Tensor
    output: Any
    maker: Maker | None
    axis: int | None
    notes: tuple[str, ...]


def tried(name: str, network: nn.Module, reads: Reads, node: str | None) -> Trial:
    """Run a network on a few made-up samples.

    Parameters
    ----------
    name: of the model, for messages.
    node: the latent node; None takes the method `encode` where there is one, else what goes into the layer that makes
        the network's output, else the output.

    Raises
    ------
    BadChoice: it cannot read them, or what passes the latent node are no finite vectors, or the samples themselves.
    UnknownName: no such latent node.
    """
    inputs = reads.example()
    try:
        with torch.inference_mode():
            maker = None if node == OUTPUT else maker_of(network, inputs)
        encoder = NetworkEncoder(network, reads, node or _default(network, maker))
        latent, output = _run(encoder, inputs)
        if isinstance(reads, Pictures):
            _lay_out(encoder, inputs, latent, output)
        axis = _axis(encoder, inputs)
        _check(name, encoder, inputs, latent)
        mixes = reads.modality != "graph" and _mixes(encoder, inputs, latent)
    except RelvizError:
        raise
    except Exception as error:  # the network may be anybody's code
        form = " x ".join(map(str, inputs[0].shape))
        reason = one_line(error)
        raise BadChoice(
            f"The network of '{name}' cannot read {form} ({type(error).__name__}: {reason}).",
            "Name the side and channels of its input.",
        ) from error
    notes = maker.note(name) if maker is not None and encoder.node == maker.node and node is None else ()
    if node is None and encoder.node == OUTPUT:
        said = f"Latent vectors of '{name}' are what the network gives, for no layer makes scores of classes in it;"
        notes = (f"{said} name another with --latent if that is wrong.",)
    notes += _notes(name, encoder, axis, mixes=mixes)
    unusual = axis[0] if axis is not None and axis[0] != axis[1] else None
    return Trial(encoder, latent, output, maker, unusual, notes)


def _default(network: nn.Module, maker: Maker | None) -> str:
    if callable(getattr(network, "encode", None)):
        return ENCODE
    return OUTPUT if maker is None else maker.node


def _run(encoder: NetworkEncoder, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
    latent = encoder.at_nodes(inputs, [encoder.node])[0]
    with torch.inference_mode():
        return latent, encoder.network(*inputs) if answers(encoder.network) else None


def _lay_out(encoder: NetworkEncoder, inputs: tuple[Tensor, ...], latent: Tensor, output: Any) -> None:
    """Lay weights out with the channels last, three times faster on a CPU, where that changes nothing else."""
    encoder.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stubs lack it
    try:
        again = _run(encoder, inputs)
    except Exception:  # noqa: BLE001 such as that of a view that needs the plain layout
        again = None
    if again is None or not (_alike(again[0], latent) and _alike(first_tensor(again[1]), first_tensor(output))):
        encoder.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def _axis(encoder: NetworkEncoder, inputs: tuple[Tensor, ...]) -> tuple[int | None, int] | None:
    """The axis of channels that was found at the latent node, None where none was, and the usual one.

    None where nothing depends on it: vectors, and texts, whose tokens the mask tells.
    """
    passed = encoder.passed(inputs)
    if passed is None or passed.ndim < 3 or (passed.ndim == 3 and encoder.reads.modality == "text"):
        return None
    return encoder.axis(encoder.node, passed, inputs), usual_axis(passed)


def _check(name: str, encoder: NetworkEncoder, inputs: tuple[Tensor, ...], latent: Tensor) -> None:
    if len(latent) != len(inputs[0]) or not bool(torch.isfinite(latent).all()):
        raise BadChoice(f"'{encoder.node}' of '{name}' gives no finite vector per sample.", _HINT)
    passed, samples = encoder.passed(inputs), inputs[0]
    if passed is not None and samples.is_floating_point() and _alike(passed.flatten(1), samples.flatten(1)):
        said = f"What passes '{encoder.node}' of '{name}' are the samples themselves, before the network did anything."
        raise BadChoice(said, _HINT)


def _mixes(encoder: NetworkEncoder, inputs: tuple[Tensor, ...], latent: Tensor) -> bool:
    """Whether a sample's vector depends on the samples that are read with it.

    Raises
    ------
    BadChoice: there is not one vector per sample.
    """
    fewer = encoder.at_nodes(tuple(part[:-1] for part in inputs), [encoder.node])[0]
    if len(fewer) != len(latent) - 1:
        raise BadChoice(f"'{encoder.node}' has no vector per sample; its first axis is not that of samples.", _HINT)
    return not _alike(fewer, latent[:-1])


def _notes(name: str, encoder: NetworkEncoder, axis: tuple[int | None, int] | None, *, mixes: bool) -> tuple[str, ...]:
    notes = []
    if axis is not None and axis[0] is None:
        said = f"Channels of '{name}' are taken from axis {axis[1]} of what passes '{encoder.node}', for nothing in the"
        notes.append(f"{said} network says which axis holds them; name another node with --latent if that is wrong.")
    if mixes:
        said = f"Vectors of '{name}' depend on which samples are read together, as if it were still being trained or"
        notes.append(f"{said} took the samples for tokens; correct its evaluation if that is not meant.")
    return tuple(notes)


def _alike(a: Tensor | None, b: Tensor | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-3 * max(1e-3, float(b.abs().max())), rtol=1e-3)
