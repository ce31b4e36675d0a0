"""What carries out stages: `Engine` is all that the broker knows of it, `LocalEngine` is this machine.

Workers are plain child processes rather than multiprocessing's, whose children import the parent's main module: under
Streamlit that is the page script. They end when this process does, however it ends, because their pipe then does.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Protocol

from relviz.encoding.device import DeviceStatus
from relviz.errors import WorkerLost
from relviz.jobs.pipe import Message, send
from relviz.usecases.table import REDUCER, TENSORS, Work

GRACE = 1.0  # seconds that a cancelled call has to end by itself before its worker is replaced
_STOPPING = 5.0  # seconds that a lane's thread may take to end
_LAST = ("answer", "refused", "failed", "cancelled")


@dataclass(frozen=True)
class StageCall:
    """One stage to be carried out: `work(given, progress)` by the worker of a lane."""

    lane: str
    work: Work
    given: Any


class Running(Protocol):
    """A call that was started."""

    def cancel(self, *, force: bool = True) -> None:
        """Ask for its end and return at once.

        Parameters
        ----------
        force: whether a worker that does not end it within `GRACE` is replaced.
        """


class Engine(Protocol):
    """Carries out calls, on each lane `width` of them at a time.

    `on_message` is told `("progress", share, text)` any number of times and then, exactly once, one of
    `("answer", found)`, `("refused", RelvizError)`, `("failed", traceback text)` and `("cancelled",)`; from any thread.
    """

    @property
    def ready(self) -> bool:
        """Whether calls begin at once."""

    @property
    def device(self) -> DeviceStatus | None:
        """How the device was doing when it was last heard of."""

    def width(self, lane: str) -> int:
        """How many calls a lane carries out at a time."""

    def start(self, call: StageCall, on_message: Callable[[Message], None]) -> Running:
        """Begin a call; returns at once."""

    def close(self) -> None:
        """End everything; nothing is left running."""


class LocalEngine:
    """One worker process for each lane on this machine, started at once."""

    def __init__(self) -> None:
        self._lanes = {name: _Lane(name) for name in (TENSORS, REDUCER)}

    @property
    def ready(self) -> bool:
        """Whether every worker runs and has imported what it needs."""
        return all(lane.ready for lane in self._lanes.values())

    @property
    def device(self) -> DeviceStatus | None:
        """How the device was doing after the last call."""
        return self._lanes[TENSORS].device

    def width(self, _lane: str) -> int:
        """One: a lane is one process, which owns what its calls share."""
        return 1

    def start(self, call: StageCall, on_message: Callable[[Message], None]) -> Running:
        """Begin a call; returns at once."""
        return self._lanes[call.lane].start(call, on_message)

    def close(self) -> None:
        """End the workers."""
        for lane in self._lanes.values():
            lane.close()


class _Call:
    """A call and the lane that has it."""

    def __init__(self, lane: _Lane, call: StageCall, number: int, on_message: Callable[[Message], None]) -> None:
        self.call, self.number, self.on_message = call, number, on_message
        self.unwanted, self.over = False, threading.Event()
        self._lane = lane

    def cancel(self, *, force: bool = True) -> None:
        self.unwanted = True
        threading.Thread(target=self._lane.end, args=[self, force], daemon=True).start()


class _Lane:
    """A worker process, replaced when it is lost, and the thread that talks to it."""

    def __init__(self, name: str) -> None:
        self.device: DeviceStatus | None = None
        self._name, self._numbers = name, count()
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._lock = threading.Lock()  # of what follows, and of writing to the pipe
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._present: _Call | None = None
        self._started = self._closed = False
        self._thread = threading.Thread(target=self._serve, name=f"relviz-{name}", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        process = self._process
        return self._started and process is not None and process.poll() is None

    def start(self, call: StageCall, on_message: Callable[[Message], None]) -> _Call:
        started = _Call(self, call, next(self._numbers), on_message)
        self._calls.put(started)
        return started

    def end(self, call: _Call, force: bool) -> None:
        """Ask the worker to leave a call; if it does not and must, replace the worker."""
        with self._lock:
            if self._present is call and self._connection is not None:
                with suppress(OSError):
                    send(self._connection, ("cancel", call.number))
        if not force or call.over.wait(GRACE):
            return
        with self._lock:
            if self._present is call and self._process is not None:
                self._process.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
        self._calls.put(None)
        self._thread.join(_STOPPING)

    def _serve(self) -> None:
        while True:
            with suppress(EOFError, OSError):  # the next call finds no worker and tries again
                self._ensure_worker()
            call = self._calls.get()
            if call is None:
                return self._discard_process()
            last = self._carry_out(call)
            with self._lock:
                self._present = None
            call.over.set()
            call.on_message(last)

    def _carry_out(self, call: _Call) -> Message:
        """The last message of a call."""
        try:
            connection = self._ensure_worker()
            with self._lock:
                if call.unwanted:
                    return ("cancelled",)
                self._present = call
                send(connection, ("run", call.number, call.call))
            while (message := self._heard(connection))[0] not in _LAST:
                call.on_message(message)
            return message
        except (EOFError, OSError):
            self._discard_process()  # its pipe may end a little before itself does
            hint = "Reload the page to ask again; perhaps this machine's memory was full."
            return ("refused", WorkerLost("The process that computed this ended before its answer.", hint))

    def _ensure_worker(self) -> Connection:
        """The pipe to a worker that is ready, a new one if need be.

        Raises
        ------
        EOFError, OSError: it ended while it started, or could not be started.
        """
        if not self.ready or self._connection is None:
            self._discard_process()
            connection = self._start_process()
            while self._heard(connection)[0] != "ready":
                pass
            self._started = True
            return connection
        return self._connection

    def _start_process(self) -> Connection:
        with self._lock:
            if self._closed:
                raise EOFError
            ours, theirs = Pipe()
            with theirs:
                end = theirs.fileno()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "relviz.jobs.worker", self._name, str(end)],
                    pass_fds=[end],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C at the server's terminal is the server's affair
                )
            self._connection = ours
            return ours

    def _discard_process(self) -> None:
        with self._lock:
            self._started = False
            if self._connection is not None:
                self._connection.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._connection = self._process = None

    def _heard(self, connection: Connection) -> Message:
        """The next message that is not about the device."""
        while (message := connection.recv())[0] == "device":
            self.device = message[1]
        return message
