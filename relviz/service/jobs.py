"""Jobs: requests computed in the background, equal ones once, finished ones remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from relviz.service.requests import Maps, Request
from relviz.service.run import run

_REMEMBERED = 64  # finished answers kept in memory


class Job:
    """One request on its way.

    Attributes
    ----------
    share, text: how far it is, in [0, 1], and what it is doing.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.share, self.text = 0.0, "waiting for its turn"
        self.future: Future[Any] = Future()

    def work(self) -> Any:
        """Compute the answer, reporting progress on this object."""
        return run(self.request, self._progress)

    def finished(self, within: float = 0.0) -> bool:
        """Whether the answer, or an error, is there after waiting at most so many seconds."""
        return self.future.done() or bool(wait([self.future], within).done)

    @property
    def failed(self) -> bool:
        """Whether it ended without an answer."""
        return self.finished() and (self.future.cancelled() or self.future.exception() is not None)

    def answer(self) -> Any:
        """The answer of a finished job.

        Raises
        ------
        RelvizError: the request could not be met.
        """
        return self.future.result(0)

    def _progress(self, share: float, text: str) -> None:
        self.share, self.text = share, text


class Broker:
    """Runs jobs off the pages' threads: tensors one at a time, UMAP beside them in its own process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[Request, Job] = OrderedDict()
        self._tensors = ThreadPoolExecutor(1, thread_name_prefix="relviz-tensors")
        self._maps = ThreadPoolExecutor(1, thread_name_prefix="relviz-umap")

    def submit(self, request: Request) -> Job:
        """The job of a request: a remembered or running one, else a new one. A failed job is tried anew."""
        with self._lock:
            job = self._jobs.get(request)
            if job is None or job.failed:
                job = Job(request)
                in_its_process = isinstance(request, Maps) and request.reduction == "umap"
                job.future = (self._maps if in_its_process else self._tensors).submit(job.work)
                self._jobs[request] = job
            self._jobs.move_to_end(request)
            self._forget()
            return job

    def abandon(self, job: Job) -> None:
        """Take back a job that has not begun; whoever else waits for it submits it again when it looks."""
        job.future.cancel()

    def _forget(self) -> None:
        done = [request for request, job in self._jobs.items() if job.finished()]
        for request in done[: max(0, len(self._jobs) - _REMEMBERED)]:
            del self._jobs[request]
