"""A worker process: carries out the stages of one lane, one after the other.

Run by `relviz.jobs.engine` as `python -m relviz.jobs.worker LANE DESCRIPTOR`, the descriptor being its end of a
pipe. Into it come `("run", number, call)` and `("cancel", number)`. Out of it go `("device", status)` and `("ready",)`
when it has started; for a call `("progress", share, text)` any number of times, then one of `("answer", found)`,
`("refused", error)`, `("failed", traceback)` and `("cancelled",)`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import torch

from relviz.core.measures import MEASURES, Pair
from relviz.core.neighbours import COMPILED_FROM, nearest_by_cosine
from relviz.core.reductions.principal import pca
from relviz.core.reductions.umap_view import umap
from relviz.encoding import device
from relviz.errors import Cancelled, RelvizError
from relviz.jobs.pipe import Message, send
from relviz.usecases.table import REDUCER, TENSORS

if TYPE_CHECKING:
    from relviz.jobs.engine import StageCall

_IDLE = 1.0  # seconds without a call before things are compiled that the next one may need; calls go first
_BETWEEN = 0.1  # seconds between two messages that tell of progress with the same text


class _Worker:
    def __init__(self, lane: str, connection: Connection) -> None:
        self._lane, self._connection = lane, connection
        self._calls: SimpleQueue[tuple[int, StageCall]] = SimpleQueue()
        self._unwanted = -1  # number of the call that was cancelled last
        self._told = (0.0, "")  # when progress was last sent, and its text

    def serve(self) -> None:
        """Carry out calls until the server is gone."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell_device()
        self._send("ready")
        with suppress(Empty):
            while True:
                self._carry_out(*self._calls.get(timeout=_IDLE))
        _WARM[self._lane]()
        while True:
            self._carry_out(*self._calls.get())

    def _listen(self) -> None:
        try:
            while True:
                kind, number, *rest = self._connection.recv()
                if kind == "cancel":
                    self._unwanted = number
                else:
                    self._calls.put((number, *rest))
        finally:  # nobody is left to compute for, and the main thread may be deep inside a kernel
            os._exit(0)

    def _carry_out(self, number: int, call: StageCall) -> None:
        found = self._found(number, call)
        self._tell_device()
        self._send(*found)

    def _found(self, number: int, call: StageCall) -> Message:
        try:
            return ("answer", call.work(call.given, partial(self._progress, number)))
        except Cancelled:
            return ("cancelled",)
        except RelvizError as error:
            return ("refused", error)
        except Exception:  # noqa: BLE001 whatever it is, the server logs it and this worker goes on
            return ("failed", traceback.format_exc())

    def _progress(self, number: int, share: float, text: str) -> None:
        if self._unwanted == number:
            raise Cancelled("This job was cancelled.")
        now, (then, former) = time.monotonic(), self._told
        if text != former or now - then >= _BETWEEN:
            self._told = (now, text)
            self._send("progress", share, text)

    def _tell_device(self) -> None:
        """The reducer never touches the device: to look at it would take a part of its memory."""
        if self._lane == TENSORS:
            with suppress(RelvizError):  # a wish that no device meets; the first call says so
                self._send("device", device.status())

    def _send(self, *message: object) -> None:
        with suppress(OSError):  # the server is gone; `_listen` ends this process
            send(self._connection, message)


def _warm_kernels() -> None:
    """Compile, or read from numba's cache, what searches among many rows use."""
    x = torch.randn(COMPILED_FROM, 2, generator=torch.Generator().manual_seed(0))
    nearest_by_cosine(x, 1)
    MEASURES["jaccard"](Pair(x, x, k=1))


def _warm_umap() -> None:
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    umap(*nearest_by_cosine(x, 15), pca(x), seed=0)


_WARM = {TENSORS: _warm_kernels, REDUCER: _warm_umap}


def main() -> None:
    """Serve the lane and the pipe that the command line names."""
    lane, descriptor = sys.argv[1], int(sys.argv[2])
    if lane == REDUCER:
        torch.set_num_threads(1)
        os.nice(10)  # a page that is being drawn comes first
    _Worker(lane, Connection(descriptor)).serve()


if __name__ == "__main__":
    main()
