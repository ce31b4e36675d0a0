"""UMAP in its own warm process: two UMAPs in threads can abort a server, and its compilation would stall every page.

A plain child process rather than multiprocessing, whose children import the parent's main module: under Streamlit
that is the page script.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading

import torch
from torch import Tensor

from relviz.errors import RelvizError
from relviz.service.umap_worker import receive, send


class _Worker:
    """One child process, started when first needed and again after it died; one job at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """The running process."""
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "relviz.service.umap_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process

    def ask(self, job: dict[str, Tensor]) -> dict[str, Tensor]:
        """The process's answer to one job."""
        with self._lock:
            process = self.start()
            assert process.stdin and process.stdout
            try:
                send(process.stdin, job)
                answer = receive(process.stdout)
            except OSError:
                answer = None
            if answer is None:
                self.stop()
                raise RelvizError(
                    "The process that draws UMAP maps stopped.", "Ask again; the PCA maps stay available."
                )
            return answer

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


_worker = _Worker()
atexit.register(_worker.stop)


def warm() -> None:
    """Start the process, so that its compilation is over when the first map is asked for."""
    _worker.start()


def reduce_by_umap(neighbours: Tensor, similarities: Tensor, start: Tensor, *, seed: int) -> Tensor:
    """`relviz.core.reduction.umap` in the worker process; callers wait their turn.

    Raises
    ------
    RelvizError: the process died, for example for lack of memory.
    """
    job = {"neighbours": neighbours, "similarities": similarities, "start": start, "seed": torch.tensor(seed)}
    return _worker.ask(job)["view"]
