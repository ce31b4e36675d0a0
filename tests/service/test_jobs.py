import threading
from typing import Any

import pytest

from relviz.errors import UnknownName
from relviz.service import jobs
from relviz.service.jobs import Broker
from relviz.service.requests import Compare

REQUEST = Compare("a", "b", "digits")
OTHER = Compare("b", "a", "digits")


def test_equal_requests_are_computed_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, gate = [], threading.Event()

    def slow(request: Any, progress: Any) -> str:
        progress(0.5, "half way")
        calls.append(request)
        gate.wait(5)
        return "answer"

    monkeypatch.setattr(jobs, "run", slow)
    broker = Broker()
    first, second = broker.submit(REQUEST), broker.submit(Compare("a", "b", "digits"))
    assert first is second and not first.finished(within=0.05)
    assert (first.share, first.text) == (0.5, "half way")
    gate.set()
    assert first.finished(within=5) and first.answer() == "answer"
    assert broker.submit(REQUEST) is first and len(calls) == 1


def test_a_failed_job_raises_its_error_and_is_tried_anew() -> None:
    broker = Broker()
    job = broker.submit(REQUEST)
    assert job.finished(within=30)
    with pytest.raises(UnknownName):
        job.answer()
    again = broker.submit(REQUEST)
    assert again is not job and again.finished(within=30)


def test_an_abandoned_job_that_has_not_begun_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, ran = threading.Event(), []
    monkeypatch.setattr(jobs, "run", lambda request, _: (gate.wait(5), ran.append(request)))
    broker = Broker()
    running, waiting = broker.submit(REQUEST), broker.submit(OTHER)
    broker.abandon(waiting)
    gate.set()
    assert running.finished(within=5) and waiting.failed
    assert broker.submit(OTHER).finished(within=5) and ran == [REQUEST, OTHER]


def test_finished_answers_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "run", lambda request, _: request)
    monkeypatch.setattr(jobs, "_REMEMBERED", 2)
    broker = Broker()
    made = [broker.submit(Compare(str(i), "b", "digits")) for i in range(4)]
    assert all(job.finished(within=5) for job in made)
    assert broker.submit(made[3].request) is made[3]
    assert broker.submit(made[0].request) is not made[0]
