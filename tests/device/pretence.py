"""A device that is not there: its tensors lie in the machine's memory, but refuse to meet those of the CPU.

`python -m tests.device.pretence` runs every registered method and every use case on it and prints, as JSON, how far
each result is from the CPU's. What forgets to move a tensor fails here as it would on a GPU. It runs in a process of
its own because torch cannot forget a device.
"""

from __future__ import annotations

import json
import os
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from relviz import settings
from relviz.encoding import device, spaces
from relviz.encoding.memory import Kept
from tests.device.agreement import answers, gaps, inputs, results

NAME = "pretence"
# As on CUDA, these take tensors of the CPU beside those of the device: copies, and indices, which are moved on the way.
_MIXING = {"aten::copy_", "aten::_to_copy", "aten::index", "aten::index_put_", "aten::index_put"}

_libraries: list[torch.library.Library] = []  # what one registers ends with it


class Elsewhere(Tensor):
    """A tensor of the device; `here` are its values."""

    here: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        layout = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype}
        made = Tensor._make_wrapper_subclass(cls, here.shape, **layout, device=torch.device(NAME, 0))
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, operator: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(operator, *args, **(kwargs or {}))

    def tolist(self) -> Any:
        return self.here.tolist()


def compute(operator: Any, *args: Any, **kwargs: Any) -> Any:
    """One operator of torch, refused where it mixes tensors of the device with others than numbers of the CPU."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    ours = [isinstance(x, Elsewhere) for x in tensors]
    mixed = any(x.dim() > 0 for x, own in zip(tensors, ours, strict=True) if not own) and any(ours)
    if mixed and operator._schema.name not in _MIXING:
        raise RuntimeError(f"Expected all tensors to be on the same device, in {operator}.")
    target = kwargs.get("device")
    here_args, here_kwargs = tree_map(_here, (args, kwargs))
    if target is not None:
        here_kwargs["device"] = torch.device("cpu")
    out = operator(*here_args, **here_kwargs)
    if operator._schema.name.endswith("_"):
        return args[0]
    if "out" in kwargs:
        return kwargs["out"]
    there = torch.device(target).type == NAME if target is not None else any(ours)
    return tree_map(lambda x: Elsewhere(x) if there and isinstance(x, Tensor) else x, out)


def _here(value: Any) -> Any:
    return value.here if isinstance(value, Elsewhere) else value


def begin() -> None:
    """Make the device, for as long as the process lasts."""
    _setup_privateuseone_for_python_backend(NAME)
    _libraries.append(torch.library.Library("_", "IMPL"))
    _libraries[-1].fallback(compute, "PrivateUse1")
    try:
        torch.ones(2) + torch.ones(2, device=NAME)
    except RuntimeError:
        pass
    else:
        raise AssertionError("The device meets tensors of the CPU, so nothing can fail on it.")


def main() -> None:
    begin()
    there = inputs(0, 600)
    found = gaps(results(*there), results(*(x.to(NAME) for x in there)))
    answered = answers()
    found |= gaps(answered, answers_from(device.Device(torch.device(NAME, 0), NAME)))
    print(json.dumps(found))


def answers_from(chosen: device.Device) -> dict[str, Tensor]:
    """The use cases' answers by way of the device, with nothing kept from before."""
    os.environ["RELVIZ_CACHE"] += "-there"
    spaces._spaces = Kept(settings.SPACE_BYTES, lambda space: space.nbytes)
    device.chosen = lambda: chosen
    found = answers()
    assert {where.type for _, where in chosen.batches} == {NAME} and not chosen.notices
    return found


if __name__ == "__main__":
    main()
