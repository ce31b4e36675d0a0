"""What nobody waits for, such as the pictures that a server computes before anyone comes, lets visitors go first."""

from collections.abc import Iterator

import pytest

from relviz import settings
from relviz.jobs.broker import Broker
from relviz.requests import Compare
from tests.jobs.engines import FakeEngine


def request(number: int = 0) -> Compare:
    return Compare(str(number), "b", "digits")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def broker(engine: FakeEngine) -> Iterator[Broker]:
    made = Broker(engine)
    yield made
    made.close()


def test_a_running_job_that_nobody_waits_for_is_asked_to_give_way_and_goes_on_later(
    broker: Broker, engine: FakeEngine
) -> None:
    ahead = broker.submit(request(0), visitor="server", urgent=False)
    assert ahead.state == "running"
    wanted = broker.submit(request(1), visitor="a")
    assert engine.calls[0].cancelled and not engine.calls[0].forced  # to start another worker would take longer
    assert not ahead.finished() and wanted.position == 1
    engine.calls[0].tell(("cancelled",))
    assert wanted.state == "running" and ahead.state == "waiting"
    engine.calls[1].answer("for a")
    assert wanted.answer() == "for a" and ahead.state == "running"
    engine.calls[2].answer("ahead")
    assert ahead.answer() == "ahead"


def test_one_that_ends_before_it_hears_has_its_answer(broker: Broker, engine: FakeEngine) -> None:
    ahead = broker.submit(request(0), visitor="server", urgent=False)
    broker.submit(request(1), visitor="a")
    engine.calls[0].answer("in time")
    assert ahead.answer() == "in time" and len(engine.calls) == 2


def test_waiting_jobs_that_nobody_waits_for_come_last(broker: Broker, engine: FakeEngine) -> None:
    first = broker.submit(request(0), visitor="a")
    ahead = broker.submit(request(1), visitor="server", urgent=False)
    second = broker.submit(request(2), visitor="b")
    assert (second.position, ahead.position) == (1, 2) and not engine.calls[0].cancelled
    broker.submit(request(1), visitor="c")  # now somebody waits for it
    third = broker.submit(request(3), visitor="d")
    assert (second.position, ahead.position, third.position) == (1, 2, 3)
    for call, job in enumerate((first, second, ahead, third)):
        engine.calls[call].answer(call)
        assert job.answer() == call


def test_a_newcomers_first_question_goes_before_the_second_of_others(broker: Broker, engine: FakeEngine) -> None:
    running, second = (broker.submit(request(i), visitor="a") for i in (0, 1))
    newcomer = broker.submit(request(2), visitor="b")
    last = broker.submit(request(3), visitor="b")
    assert [job.position for job in (newcomer, second, last)] == [1, 2, 3]
    engine.calls[0].answer()
    third = broker.submit(request(4), visitor="a")
    other = broker.submit(request(5), visitor="c")
    assert newcomer.state == "running"
    assert [job.position for job in (other, second, last, third)] == [1, 2, 3, 4]
    assert broker.submit(request(3), visitor="d") is last  # for d it is the first
    assert [job.position for job in (other, last, second, third)] == [1, 2, 3, 4]
    for call, job in enumerate((running, newcomer, other, last, second, third)):
        if call:
            engine.calls[call].answer(call)
            assert job.answer() == call
    assert running.answer() == "answer"


def test_questions_one_after_the_other_starve_nobodys_second(broker: Broker, engine: FakeEngine) -> None:
    broker.submit(request(0), visitor="a")
    second = broker.submit(request(1), visitor="a")
    for number in range(2, 10):  # b asks again as soon as it is answered
        broker.submit(request(number), visitor="b")
        engine.calls[-1].answer()
        if second.finished():
            break
    assert number <= 4


def test_a_visitor_who_asks_for_the_same_makes_it_urgent(broker: Broker, engine: FakeEngine) -> None:
    ahead = broker.submit(request(0), visitor="server", urgent=False)
    assert broker.submit(request(0), visitor="a") is ahead
    broker.submit(request(1), visitor="b")
    assert not engine.calls[0].cancelled


def test_one_that_never_gives_way_is_stopped_after_its_time(
    broker: Broker, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "JOB_SECONDS", 0.3)
    ahead = broker.submit(request(0), visitor="server", urgent=False)
    broker.submit(request(1), visitor="a")
    assert ahead.finished(within=60) and ahead.failed and engine.calls[0].forced


def test_a_wider_lane_carries_out_as_many_at_once() -> None:
    engine = FakeEngine(places=3)
    broker = Broker(engine)
    made = [broker.submit(request(i), visitor=str(i)) for i in range(5)]
    assert [job.state for job in made] == ["running"] * 3 + ["waiting"] * 2
    engine.calls[1].answer("second")
    assert [job.state for job in made] == ["running", "done", "running", "running", "waiting"]
    broker.close()
