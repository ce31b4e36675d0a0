"""Who comes next: the jobs that wait for one lane, in turns that are fair to visitors."""

from __future__ import annotations

from relviz.jobs.job import Job


class Line:
    """The jobs that wait for one lane, next first; each knows its place in `position`.

    Every visitor's questions take turns, so that a newcomer's first picture does not wait for all that others ask
    beside theirs; equal turns go in the order of asking, and what is not urgent comes last. By start-time fair queueing
    (Goyal, Vin and Cheng 1996), each job of one size.
    """

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._turns: dict[Job, int] = {}
        self._now = 0  # the turn of the job that was taken last
        self._free: dict[str, int] = {}  # by visitor, the first turn it has not had, where that is to come

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: Job) -> bool:
        return job in self._turns

    def add(self, job: Job) -> None:
        """A job joins, in the first free turn of any who want it."""
        self._turns[job] = min(self._next_turn(visitor) for visitor in job.visitors)
        self._jobs.append(job)
        self._sort()

    def join(self, job: Job, visitor: str) -> None:
        """One more visitor wants a job that waits, which may bring it forward."""
        self._turns[job] = min(self._turns[job], self._next_turn(visitor))
        self._sort()

    def remove(self, job: Job) -> None:
        """A job no longer waits."""
        self._jobs.remove(job)
        del self._turns[job]
        self._sort()

    def take(self) -> Job:
        """The next job, which no longer waits."""
        job = self._jobs[0]
        self._now = max(self._now, self._turns[job])
        self._free = {visitor: turn for visitor, turn in self._free.items() if turn > self._now}
        self.remove(job)
        job.position = 0
        return job

    def _next_turn(self, visitor: str) -> int:
        turn = max(self._now, self._free.get(visitor, 0))
        self._free[visitor] = turn + 1
        return turn

    def _sort(self) -> None:
        self._jobs.sort(key=lambda job: (not job.urgent, self._turns[job]))
        for position, job in enumerate(self._jobs, start=1):
            job.position = position
