"""Fitting the tensors of a checkpoint to a network: generous with names, strict with everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from relviz.errors import BadFile

PREFIXES = ("module.", "model.", "_orig_mod.", "backbone.", "net.")
_INSIDE = ("module", "_orig_mod")  # of parts that were wrapped on their own
_BESIDE = ("n_averaged", "criterion.", "loss.", "loss_fn.")  # what training keeps beside the network
_COUNTERS = "num_batches_tracked"  # older files have none, and evaluation does not look at them
_HINT = "Take the checkpoint of this very network, or another builder."


def fill(
    network: nn.Module, tensors: Mapping[str, Tensor], *, file: Path, head: Callable[[], str | None]
) -> dict[str, Tensor]:
    """Put a checkpoint's tensors into a network, in the network's own precision.

    Parameters
    ----------
    file: where they come from, for messages.
    head: gives the name of the network's own head, which a checkpoint may lack as a whole.

    Returns
    -------
    The tensors under the network's names: without those of the head where the checkpoint lacks it, with one linear
    layer more where it brings a head that the network does not have.

    Raises
    ------
    BadFile: the first tensor that is missing, too many, of another shape or kind, or with a number that the network's
        precision does not reach, by name.
    """
    wanted = network.state_dict()
    found = _renamed(tensors, set(wanted))
    found = {name: tensor for name, tensor in found.items() if name in wanted or not name.startswith(_BESIDE)}
    missing = _missing(network, wanted, found)
    if missing and missing == [name for name in wanted if name.startswith(f"{head()}.")]:
        missing = []  # half a head is no head, and is refused
    if missing:
        raise BadFile(f"{file} has no '{missing[0]}'; the network needs {_extent(wanted[missing[0]])}.", _HINT)
    for name, tensor in wanted.items():
        if name in found:
            _check(name, found[name], tensor, file)
    for name, tensor in found.items():
        _check_range(name, tensor, wanted[name].dtype if name in wanted else torch.float32, file)
    extra = [name for name in found if name not in wanted]
    if extra and not _is_linear({name: found[name] for name in extra}):
        raise BadFile(f"{file} has '{extra[0]}' ({_extent(found[extra[0]])}), which the network has not.", _HINT)
    network.load_state_dict({name: tensor for name, tensor in found.items() if name in wanted}, strict=False)
    return found


def _renamed(tensors: Mapping[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """The tensors without prefixes that wrappers left, as long as that brings names closer to the wanted ones."""
    names = {name: name for name in tensors}
    while True:
        shorter = [_stripped(names, prefix) for prefix in PREFIXES] + [_unwrapped(names, part) for part in _INSIDE]
        best = max(shorter, key=lambda new: _score(new, wanted))
        if _score(best, wanted) <= _score(names, wanted):
            return {new: tensors[old] for old, new in names.items()}
        names = best


def _stripped(names: Mapping[str, str], prefix: str) -> dict[str, str]:
    return _unlike(names, {old: new.removeprefix(prefix) for old, new in names.items()})


def _unwrapped(names: Mapping[str, str], part: str) -> dict[str, str]:
    return _unlike(names, {old: new.replace(f".{part}.", ".") for old, new in names.items()})


def _unlike(names: Mapping[str, str], new: dict[str, str]) -> dict[str, str]:
    """The new names if they are still unlike each other, else the old ones."""
    return new if len(set(new.values())) == len(new) else dict(names)


def _score(names: Mapping[str, str], wanted: set[str]) -> tuple[int, int]:
    """Wanted names there are; then how many letters all names have, the fewer the better."""
    return sum(name in wanted for name in names.values()), -sum(map(len, names.values()))


def _missing(network: nn.Module, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Names without a tensor, but for counters and those that share the memory of a tensor that there is."""
    places = {wanted[name].data_ptr() for name in found if name in wanted}
    missing = [name for name in wanted if name not in found and not name.endswith(_COUNTERS)]
    return [name for name in missing if wanted[name].data_ptr() not in places]


def _check(name: str, found: Tensor, wanted: Tensor, file: Path) -> None:
    if found.shape != wanted.shape:
        raise BadFile(f"'{name}' of {file} is {_extent(found)}, that of the network {_extent(wanted)}.", _HINT)
    if wanted.is_floating_point() and not found.is_floating_point():  # counters may have been made half precision
        kind = str(found.dtype).removeprefix("torch.")
        raise BadFile(f"'{name}' of {file} holds {kind}, that of the network fractions.", _HINT)


def _check_range(name: str, found: Tensor, kind: torch.dtype, file: Path) -> None:
    if found.is_floating_point() and kind.is_floating_point and not bool(found.to(kind).isfinite().all()):
        largest, most = float(found.abs().max()), torch.finfo(kind).max
        told = f"has the number {largest:.3g}, and {str(kind).removeprefix('torch.')} ends at {most:.3g}"
        raise BadFile(f"'{name}' of {file} {told}.", "Take a checkpoint from before the weights grew so large.")


def _is_linear(extra: Mapping[str, Tensor]) -> bool:
    """Whether these are the weight and perhaps the bias of one linear layer."""
    owners = {name.rpartition(".")[0] for name in extra}
    kinds = {name.rpartition(".")[2]: tensor.ndim for name, tensor in extra.items()}
    return len(owners) == 1 and kinds in ({"weight": 2}, {"weight": 2, "bias": 1})


def _extent(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a single number"
