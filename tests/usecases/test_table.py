"""A use case is one declaration: this one, which relviz does not know, goes through workers and stored answers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from relviz.core.anchors import select_anchors
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import fitting_model, space_of
from relviz.jobs import answers
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.progress import Progress, silent
from relviz.requests import Anchors, Compare, Explain, Notes, Readings, Request, Similarity, Stitch
from relviz.types import DataName
from relviz.usecases import table
from relviz.usecases.table import complete, declare, one_stage, run, use_case, use_cases
from tests.waiting import wait_until


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
    key = answers.key(asked)
    wait_until(lambda: answers.read(asked, key) is not None)  # answers are written down after they are given
    assert answers.read(asked, key) == job.answer()
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


A, B = "digits-cnn-s0", "digits-cnn-s1"


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        (Compare(A, B, "digits", Anchors(5, "k-means")), A),
        (Readings(B, A, "digits", Anchors(5, "k-means")), B),
        (Readings(B, A, "digits", Anchors(5, "k-means", source=A)), A),
        (Stitch((B, A), "digits", Anchors(5, "density")), B),
        (Similarity("cka", "digits", Anchors(5, "density", source=B)), B),
        (Similarity("cka", "digits", Anchors(5, "density")), ""),
        (Compare(A, B, "digits", Anchors(5, "uniform", source=B)), ""),
        (Compare(A, B, "digits", Anchors(5, "no such strategy", source=B)), ""),
    ],
)
def test_anchors_are_chosen_in_the_named_space_else_in_the_leading_one(asked: Request, source: str) -> None:
    done = complete(asked)
    assert done == replace(asked, anchors=replace(asked.anchors, source=source))  # type: ignore[attr-defined]
    assert complete(done) is done


def test_a_request_without_anchors_is_complete() -> None:
    asked = Notes((A,), "digits")
    assert complete(asked) is asked


def test_strategies_that_look_at_vectors_look_at_those_of_the_leading_model() -> None:
    data = load_dataset("digits")
    rows = {
        source: select_anchors(
            data.label_tensor()[data.gallery],
            strategy="farthest-point",
            count=7,
            seed=0,
            vectors=space_of(fitting_model(source, data), data, silent)[data.gallery],
        )
        for source in (A, B)
    }
    assert not rows[A].equal(rows[B])
    for pair in ((A, B), (B, A)):
        assert run(Explain(*pair, "digits", Anchors(7, "farthest-point"))).anchors.equal(rows[pair[0]])


def test_a_source_that_nothing_reads_makes_no_other_job(broker: Broker) -> None:
    jobs = {
        broker.submit(Compare(A, B, "digits", Anchors(5, "uniform", source=source)), visitor="one") for source in (A, B)
    }
    assert len(jobs) == 1
