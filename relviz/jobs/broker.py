"""Jobs: requests computed in the background, equal ones once, in turn, as long as somebody wants them."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from relviz import settings
from relviz.encoding.device import DeviceStatus
from relviz.errors import Busy, Cancelled, RelvizError, TimedOut
from relviz.jobs.engine import Engine, StageCall
from relviz.jobs.job import Job, State, Stopwatch
from relviz.jobs.line import Line
from relviz.jobs.pipe import Message
from relviz.requests import Request
from relviz.usecases.table import complete

_REMEMBERED = 64  # finished answers kept in memory
_LOOK = 0.5  # seconds between two looks at the clock and at who is still there
_GLANCE = 0.2  # seconds for which what names stand for is not looked up again by those who ask
_log = logging.getLogger(__name__)


class Answers(Protocol):
    """Where answers are kept beyond this server's life, by the content they follow from: `relviz.jobs.answers`."""

    def key(self, request: Request, *, age: float = 0.0) -> str:
        """What the answer follows from, as it was at most so many seconds ago."""

    def read(self, request: Request, key: str) -> Any | None:
        """The stored answer, or None."""

    def write(self, request: Request, key: str, answer: Any) -> None:
        """Store an answer."""


@dataclass(frozen=True)
class BrokerStatus:
    """How a broker is doing.

    Attributes
    ----------
    ready: whether work begins as soon as it is asked for.
    waiting, running: numbers of jobs.
    device: as last heard of, or None.
    """

    ready: bool
    waiting: int
    running: int
    device: DeviceStatus | None


class Broker:
    """Lets jobs in, runs them in turn on an engine, as many at a time as its lanes are wide, and remembers answers.

    Parameters
    ----------
    answers: kept beyond this server's life; None keeps none.
    present: whether a visitor's browser is still there; asked twice a second of all who wait.
    """

    def __init__(
        self, engine: Engine, *, answers: Answers | None = None, present: Callable[[str], bool] = lambda _visitor: True
    ) -> None:
        self._engine, self._answers, self._present = engine, answers, present
        self._lock = threading.RLock()
        self._jobs: OrderedDict[tuple[Request, str | None], Job] = OrderedDict()  # unfinished and remembered ones
        self._lines: dict[str, Line] = {}  # by lane
        self._running: dict[str, list[Job]] = {}  # by lane
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._keep_watch, name="relviz-broker", daemon=True)
        self._watch.start()

    def submit(self, request: Request, *, visitor: str, urgent: bool = True) -> Job:
        """The job of a request: a remembered or unfinished one, else a new one. A failed job is tried anew.

        Parameters
        ----------
        urgent: whether the visitor waits for the answer; what nobody waits for lets all others go before it.

        Raises
        ------
        Busy: `settings.QUEUE` jobs wait for the same worker, or `settings.JOBS_PER_VISITOR` of the visitor's are
            unfinished.
        """
        request = complete(request)
        key = self.key(request)
        name = (request, key)
        stored = None if key is None or name in self._jobs else self._stored(request, key)
        with self._lock:
            job = self._jobs.get(name) or Job(request, key)
            if name not in self._jobs and stored is not None:
                job.end("done", answer=stored)
            if not job.finished() and visitor not in job.visitors:
                self._enforce_limits(job, visitor)
            self._jobs[name] = job
            self._jobs.move_to_end(name)
            if not job.finished():
                self._join(job, visitor, urgent=urgent)
            self._forget()
            return job

    def key(self, request: Request, *, age: float = _GLANCE) -> str | None:
        """What the answer follows from, as it was at most so many seconds ago; None when names are on no list."""
        try:
            return self._answers.key(complete(request), age=age) if self._answers else None
        except (RelvizError, OSError):  # the job says so; or a file is just being replaced
            return None

    def leave(self, visitor: str, job: Job) -> None:
        """The visitor no longer wants it; what nobody wants is cancelled, also when it runs."""
        with self._lock:
            if visitor in job.visitors:
                job.visitors.discard(visitor)
                if not job.visitors:
                    self._stop(job, "cancelled", Cancelled("Nobody waited for this any more.", "Ask again."))

    def drop(self, visitor: str) -> None:
        """The visitor is gone and wants nothing."""
        with self._lock:
            for job in self._unfinished():
                self.leave(visitor, job)

    def status(self) -> BrokerStatus:
        """How it is doing."""
        with self._lock:
            states = [job.state for job in self._unfinished()]
        ready = self._engine.ready and not self._closed.is_set()
        return BrokerStatus(ready, states.count("waiting"), states.count("running"), self._engine.device)

    def close(self) -> None:
        """Cancel everything and end the engine."""
        with self._lock:
            self._closed.set()
            for job in self._unfinished():
                self._stop(job, "cancelled", Cancelled("The server is stopping.", "Ask again when it is back."))
        self._engine.close()
        self._watch.join()

    def _stored(self, request: Request, key: str) -> Any | None:
        return self._answers.read(request, key) if self._answers else None

    def _unfinished(self) -> list[Job]:
        return [job for job in self._jobs.values() if not job.finished()]

    def _enforce_limits(self, job: Job, visitor: str) -> None:
        if self._closed.is_set():
            raise Busy("The server is stopping.", "Ask again when it is back.")
        if sum(visitor in other.visitors for other in self._unfinished()) >= settings.JOBS_PER_VISITOR:
            sentence = f"{settings.JOBS_PER_VISITOR} other answers are on their way to you."
            raise Busy(sentence, "Ask again when one of them is there.")
        if not job.visitors:
            worker = job.stages[-1].lane  # so that slow reductions leave the queue of quick measures open
            waiting = [job for job in self._unfinished() if job.state == "waiting" and job.stages[-1].lane == worker]
            if len(waiting) >= settings.QUEUE:
                raise Busy(f"The server is busy: {len(waiting)} jobs are waiting.", "Ask again in a few seconds.")

    def _join(self, job: Job, visitor: str, *, urgent: bool) -> None:
        new = not job.visitors
        job.visitors.add(visitor)
        job.urgent = job.urgent or urgent
        if new:
            self._enqueue(job)
        elif job.state == "waiting":
            self._lines[job.stages[0].lane].join(job, visitor)

    def _enqueue(self, job: Job) -> None:
        lane = job.stages[0].lane
        job.state, job.gives_way = "waiting", False
        self._lines.setdefault(lane, Line()).add(job)
        self._serve(lane)
        if job.urgent and job.state == "waiting":
            self._make_way(lane)

    def _make_way(self, lane: str) -> None:
        """Let one job that nobody waits for leave its lane, as soon as it can without losing the worker."""
        for job in self._running[lane]:
            if not job.urgent and not job.gives_way and job.call is not None:
                job.gives_way = True
                return job.call.cancel(force=False)

    def _serve(self, lane: str) -> None:
        """Begin the next jobs of a lane while it has room."""
        line, running = self._lines[lane], self._running.setdefault(lane, [])
        while line and len(running) < self._engine.width(lane):
            job = line.take()
            running.append(job)
            job.state = "running"
            job.stopwatch.start()
            call = StageCall(lane, job.stages[0].work, job.given)
            job.call = self._engine.start(call, partial(self._receive, lane, job))

    def _stop(self, job: Job, state: State, error: Exception) -> None:
        """End a job before its time. Its lane stays taken until the engine has left it."""
        if job.state == "running" and job.call is not None:
            job.call.cancel()
        for line in self._lines.values():
            if job in line:
                line.remove(job)
        self._end(job, state, error=error)

    def _end(self, job: Job, state: State, *, answer: Any = None, error: Exception | None = None) -> None:
        job.end(state, answer=answer, error=error)
        if job.failed:
            del self._jobs[job.request, job.key]

    def _receive(self, lane: str, job: Job, message: Message) -> None:
        """What the engine tells of the job that runs on a lane."""
        kind, *rest = message
        if kind == "progress":
            job.progress(*rest)
            return
        if kind == "answer" and len(job.stages) == 1 and self.key(job.request, age=0.0) != job.key:
            kind = "outdated"  # workers read by name, so nobody knows which content this answer follows from
        with self._lock:
            job.stopwatch.stop()
            self._running[lane].remove(job)
            if job.state == "running":  # else it was stopped meanwhile
                self._advance(job, kind, *rest)
            self._serve(lane)
        if job.state == "done":
            self._store(job)

    def _advance(self, job: Job, kind: str, found: Any = None) -> None:
        job.call = None
        if kind == "answer" and len(job.stages) > 1:
            job.stages.popleft()
            job.given = found
            self._enqueue(job)
        elif kind == "answer":
            self._end(job, "done", answer=found)
        elif job.gives_way:  # also where its worker did not hear in time and was replaced
            job.stopwatch = Stopwatch()
            self._enqueue(job)
        elif kind == "outdated":
            self._end(job, "cancelled", error=Cancelled("A file changed while this was computed.", "Ask again."))
        elif kind == "cancelled":
            self._end(job, "cancelled", error=Cancelled("This job was cancelled.", "Ask again."))
        else:
            error = found if isinstance(found, RelvizError) else RuntimeError(f"in a worker:\n{found}")
            self._end(job, "failed", error=error)

    def _store(self, job: Job) -> None:
        try:
            if self._answers and job.key is not None:
                self._answers.write(job.request, job.key, job.answer())
        except Exception:  # noqa: BLE001 whatever it is, the answer stands and the lane goes on
            _log.exception("the answer to %s could not be stored", job.request)

    def _forget(self) -> None:
        done = [name for name, job in self._jobs.items() if job.finished()]
        for name in done[: max(0, len(done) - _REMEMBERED)]:
            del self._jobs[name]

    def _keep_watch(self) -> None:
        while not self._closed.wait(_LOOK):
            with self._lock:
                for job in self._unfinished():
                    self._enforce_time_limit(job)
                visitors = {visitor for job in self._unfinished() for visitor in job.visitors}
            for visitor in visitors:
                if not self._present(visitor):
                    self.drop(visitor)

    def _enforce_time_limit(self, job: Job) -> None:
        if job.stopwatch.seconds <= settings.JOB_SECONDS or (job.gives_way and job.urgent):
            return
        if job.call is not None and job.urgent and job.interruptible and job.share > job.reached:
            job.gives_way, job.reached = True, job.share
            job.call.cancel()
            return
        sentence = f"This took longer than {settings.JOB_SECONDS:.0f} seconds and was stopped."
        self._stop(job, "failed", TimedOut(sentence, "Choose fewer anchors, smaller models or a smaller data set."))
