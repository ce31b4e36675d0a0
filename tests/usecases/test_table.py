"""A use case is one declaration: this one, which relviz does not know, goes through workers and stored answers."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from relviz.data.catalogue import load_dataset
from relviz.jobs import answers
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.progress import Progress
from relviz.requests import DataName, Request
from relviz.usecases import table
from relviz.usecases.table import declare, one_stage, run, use_case, use_cases


@dataclass(frozen=True)
class Count(Request):
    data: DataName
    factor: int = 1


@dataclass(frozen=True)
class Counted:
    samples: int


def count(request: Count, progress: Progress) -> Counted:
    progress(0.5, "counting")
    return Counted(request.factor * len(load_dataset(request.data)))


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    use_cases()
    monkeypatch.setattr(table, "_USE_CASES", dict(table._USE_CASES))
    declare(Count, Counted, one_stage(count))
    made = Broker(LocalEngine(), answers=answers)
    yield made
    made.close()


def test_a_declared_use_case_is_computed_by_a_worker_and_kept(broker: Broker) -> None:
    asked = Count("digits", 2)
    job = broker.submit(asked, visitor="one")
    assert job.finished(60) and job.answer() == Counted(2 * 1797) == run(asked)
    until = time.monotonic() + 10  # answers are written down after they are given
    while (stored := answers.read(asked, answers.key(asked))) is None and time.monotonic() < until:
        time.sleep(0.05)
    assert stored == job.answer()
    assert answers.read(Count("digits", 3), answers.key(Count("digits", 3))) is None


def test_what_nobody_declared_is_no_use_case() -> None:
    with pytest.raises(KeyError):
        use_case(Count)


def test_other_fields_of_an_answer_make_another_key(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Widened:
        samples: int
        classes: int

    before = answers.key(Count("digits"))
    declare(Count, Widened, one_stage(count))
    answers._version.cache_clear()
    try:
        assert answers.key(Count("digits")) != before
    finally:
        answers._version.cache_clear()
