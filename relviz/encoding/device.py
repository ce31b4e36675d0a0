"""The device that computes: chosen once per process, watched, and left for the CPU when it fails.

Two failures are survived. Where memory runs out, the work is tried again with half the rows, and after one row on the
CPU. Where the device has died (an assertion failed or an address was wild inside one of its kernels: only a new process
helps), it is marked dead and the CPU serves from then on. Either way a notice says so.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import resource
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

import torch
from torch import Tensor

from relviz import settings
from relviz.errors import BadChoice, OutOfMemory

T = TypeVar("T")
Step: TypeAlias = Callable[[slice, torch.device], Tensor]

CPU = torch.device("cpu")
_log = logging.getLogger(__name__)

# What torch and the libraries under it say, beside the classes OutOfMemoryError and AcceleratorError.
_MEMORY_ENDED = re.compile(r"out of memory|can't allocate memory|_ALLOC_FAILED|when calling `\w+Create\(")
_DEVICE_DIED = re.compile(r"CUDA (\w+ )?error|device-side assert|illegal memory access|_EXECUTION_FAILED")


@dataclass(frozen=True)
class DeviceStatus:
    """How the device is doing.

    Attributes
    ----------
    name, kind: of the chosen device; kind is "cpu" or "cuda".
    used_bytes, total_bytes: memory of the device in use by everyone, and its size; of a CPU, and where the CPU serves
        for a dead device, memory in use by this process, and the machine's.
    dead: whether the device has died; then the CPU serves, until relviz is started again.
    notices: one sentence for each kind of trouble met since the start.
    """

    name: str
    kind: str
    used_bytes: int
    total_bytes: int
    dead: bool
    notices: tuple[str, ...]


class Device:
    """The chosen device and what became of it.

    Attributes
    ----------
    where: as torch names it.
    dead: whether it has died.
    notices: one sentence for each kind of trouble.
    batches: rows at once that fitted, by kind of work and device; the next work of that kind starts there.
    """

    def __init__(self, where: torch.device, name: str) -> None:
        self.where, self.name = where, name
        self.dead = False
        self.notices: list[str] = []
        self.batches: dict[tuple[Hashable, torch.device], int] = {}

    @property
    def serving(self) -> torch.device:
        """Where work is to be done now."""
        return CPU if self.dead else self.where

    def died(self, words: str) -> None:
        """Mark it dead: no tensor on it can be read any more."""
        self.dead = True
        self.notice(f"{self.name} has failed; the CPU computes until relviz is started again.", words)

    def notice(self, sentence: str, words: str) -> None:
        """Say a thing once, with the device's own words in the log."""
        _log.warning("%s (%s)", sentence, words)
        if sentence not in self.notices:
            self.notices.append(sentence)


@dataclass(frozen=True)
class _Done(Generic[T]):
    value: T


@dataclass(frozen=True)
class _Failed:
    died: bool
    words: str


@lru_cache(maxsize=1)
def chosen() -> Device:
    """The device of this process, chosen at the first call as `RELVIZ_DEVICE` wishes.

    Raises
    ------
    BadChoice: the wish is no device, or not one of this machine.
    """
    where = _wished(settings.device())
    if where == CPU:
        return Device(CPU, f"CPU, {torch.get_num_threads()} threads")
    # Else products are rounded to ten bits, and numbers differ from the CPU's in the fourth digit.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    name = _attempt(partial(torch.cuda.get_device_name, where), where)
    if isinstance(name, _Done):
        return Device(where, name.value)
    found = Device(where, f"The GPU {where}")
    found.died(name.words)
    return found


def status() -> DeviceStatus:
    """How the chosen device is doing now."""
    device = chosen()
    used, total = on_device(lambda where: _process_memory() if where == CPU else _device_memory(where))
    return DeviceStatus(device.name, device.where.type, used, total, device.dead, tuple(device.notices))


def on_device(work: Callable[[torch.device], T]) -> T:
    """What `work` gives on the device, or on the CPU where the device cannot.

    Parameters
    ----------
    work: told where to compute; it moves tensors there itself, and what it returns must not stay there.

    Raises
    ------
    OutOfMemory: the machine's memory does not hold it either.
    """
    return _carried_out(work, chosen().serving)


def in_batches(
    step: Step, shape: tuple[int, ...], *, batch: int, key: Hashable, done: Callable[[Tensor], None] | None = None
) -> Tensor:
    """What `step` gives for all rows, a slice of them at a time, one below the other, on the CPU.

    Parameters
    ----------
    step: told the rows and where to compute them. What it raises beside failures of the device, to cancel for
        instance, goes to the caller, and nothing is left of the rows before.
    shape: of the result; its first number counts the rows.
    batch: rows of a slice, halved as often as memory runs out.
    key: the kind of work, under which the rows that fitted are remembered.
    done: told all rows that there are, after each slice.

    Raises
    ------
    OutOfMemory: the machine's memory does not hold the result, or not even one row of the work.
    """
    out = _carried_out(lambda _: torch.empty(shape), CPU)

    def fill(rows: slice, where: torch.device) -> None:
        out[rows] = step(rows, where).cpu()

    batches, where, start = chosen().batches, chosen().serving, 0
    size = min(batch, batches.get((key, where), batch))
    while start < len(out):
        rows = slice(start, min(start + size, len(out)))
        attempt = _attempt(partial(fill, rows, where), where)
        if isinstance(attempt, _Done):
            start = rows.stop
            if done is not None:
                done(out[:start])
        elif attempt.died or rows.stop - rows.start == 1:
            where, size = _give_way(attempt, where), batch
        else:
            _release(where)
            size = (rows.stop - rows.start) // 2
    batches[key, where] = size
    return out


def _carried_out(work: Callable[[torch.device], T], where: torch.device) -> T:
    while isinstance(done := _attempt(partial(work, where), where), _Failed):
        where = _give_way(done, where)
    return done.value


def _attempt(work: Callable[[], T], where: torch.device) -> _Done[T] | _Failed:
    try:
        return _Done(work())
    except (RuntimeError, MemoryError) as error:
        failed = _failure(error, where)
        if failed is None:
            raise
    # Recovery begins out here: until the except block ends, the traceback holds every tensor of the attempt.
    return failed


def _failure(error: Exception, where: torch.device) -> _Failed | None:
    """What an error says about the device; None when it says nothing."""
    words = str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or _MEMORY_ENDED.search(words):
        return _Failed(died=False, words=words)
    if where != CPU and (isinstance(error, torch.AcceleratorError) or _DEVICE_DIED.search(words)):
        return _Failed(died=True, words=words)
    return None


def _give_way(failed: _Failed, where: torch.device) -> torch.device:
    """Leave a device that cannot do even the smallest piece, for the CPU."""
    device = chosen()
    if failed.died:
        device.died(failed.words)
    elif where == CPU:
        raise OutOfMemory(
            "The memory of this machine does not hold this work.", "Choose a smaller data set, or close other programs."
        )
    else:
        _release(where)
        device.notice(f"The memory of {device.name} ran out; the CPU computed instead.", failed.words)
    return CPU


def _release(where: torch.device) -> None:
    """Give back what torch holds in reserve of an attempt's memory."""
    gc.collect(1)  # the attempt's objects are young; a full collection takes a third of a second
    if where.type == "cuda":
        torch.cuda.empty_cache()


def _wished(wish: str) -> torch.device:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", wish):
        raise BadChoice(f"RELVIZ_DEVICE is '{wish}', which is no device.", "Choose auto, cpu, cuda or, say, cuda:1.")
    count = torch.cuda.device_count() if wish != "cpu" and torch.cuda.is_available() else 0
    if wish == "cpu" or (wish == "auto" and not count):
        return CPU
    index = int(wish.partition(":")[2] or 0)
    if index >= count:
        hint = (
            f"Choose cuda:0 to cuda:{count - 1}." if count else "Choose auto, or install torch for CUDA and a driver."
        )
        raise BadChoice(f"RELVIZ_DEVICE is '{wish}', but torch finds {count} CUDA devices on this machine.", hint)
    return torch.device("cuda", index)


def _device_memory(where: torch.device) -> tuple[int, int]:
    free, total = torch.cuda.mem_get_info(where)
    return total - free, total


def _process_memory() -> tuple[int, int]:
    page, pages = os.sysconf("SC_PAGE_SIZE"), Path("/proc/self/statm")
    if pages.exists():
        used = int(pages.read_text().split()[1]) * page
    else:  # not Linux: the largest there was stands in, in bytes on macOS
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used, os.sysconf("SC_PHYS_PAGES") * page
