import time
from collections.abc import Iterator
from typing import Any

import pytest

from relviz import settings
from relviz.errors import BadChoice, Busy, Cancelled, RelvizError, TimedOut, UnknownName, WorkerLost
from relviz.jobs import broker as jobs
from relviz.jobs.broker import Broker
from relviz.jobs.job import Job, Stopwatch
from relviz.progress import Interruptible
from relviz.requests import Compare, Maps
from relviz.usecases.table import REDUCER, TENSORS
from tests.jobs.engines import FakeEngine
from tests.waiting import wait_until


def request(number: int = 0) -> Compare:
    return Compare(str(number), "b", "digits")


def umap(number: int = 0) -> Maps:
    return Maps(str(number), "b", "digits", reduction="umap")


class Shelf:
    """Answers kept in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def key(self, asked: Any, *, age: float) -> str:
        return str(asked)

    def read(self, asked: Any, key: str) -> Any | None:
        assert key == str(asked)
        return self.kept.get(asked)

    def write(self, asked: Any, key: str, answer: Any) -> None:
        assert key == str(asked)
        self.kept[asked] = answer


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def away() -> set[str]:
    """Visitors whose browsers are closed."""
    return set()


@pytest.fixture
def broker(engine: FakeEngine, shelf: Shelf, away: set[str]) -> Iterator[Broker]:
    made = Broker(engine, answers=shelf, present=lambda visitor: visitor not in away)
    yield made
    made.close()


def test_equal_requests_are_computed_once_and_remembered(broker: Broker, engine: FakeEngine, shelf: Shelf) -> None:
    made = [broker.submit(request(), visitor=str(i)) for i in range(8)]
    assert len(set(map(id, made))) == 1 and made[0].state == "running"
    engine.calls[0].tell(("progress", 0.5, "half way"))
    assert (made[0].share, made[0].text, made[0].finished()) == (0.5, "half way", False)
    engine.calls[0].answer()
    assert all(job.finished() and job.answer() == "answer" for job in made)
    assert broker.submit(request(), visitor="later") is made[0]
    assert len(engine.calls) == 1 and shelf.kept == {request(): "answer"}


def test_jobs_are_served_in_the_order_of_asking_and_know_their_place(broker: Broker, engine: FakeEngine) -> None:
    made = [broker.submit(request(i), visitor=str(i)) for i in range(5)]
    for done in range(5):
        assert [job.position for job in made[done:]] == list(range(5 - done))
        assert len(engine.calls) == done + 1 and engine.calls[done].call.given == request(done)
        engine.calls[done].answer(done)
    assert [job.answer() for job in made] == list(range(5))


def test_thirty_jobs_into_a_queue_of_eight(broker: Broker, engine: FakeEngine) -> None:
    broker.submit(request(-1), visitor="first")
    made, refused = [], []
    for i in range(30):
        try:
            made.append(broker.submit(request(i), visitor=str(i)))
        except Busy as busy:
            refused.append(busy)
    assert len(refused) == 22 and "8 jobs are waiting" in refused[0].sentence and refused[0].hint
    assert broker.status().waiting == settings.QUEUE
    for call in range(9):
        engine.calls[call].answer(call)
    assert [job.answer() for job in made] == list(range(1, 9)) and len(engine.calls) == 9
    assert broker.submit(request(29), visitor="29").state == "running"


def test_a_visitor_has_at_most_two_unfinished_jobs(broker: Broker, engine: FakeEngine) -> None:
    broker.submit(request(0), visitor="a")
    broker.submit(request(1), visitor="a")
    broker.submit(request(1), visitor="a")  # the same again costs nothing
    other = broker.submit(request(2), visitor="b")
    for third in (request(2), request(3)):
        with pytest.raises(Busy, match="2 other answers are on their way"):
            broker.submit(third, visitor="a")
    assert other.visitors == {"b"}
    engine.calls[0].answer()
    broker.submit(request(3), visitor="a")


def test_a_reduction_leaves_the_lane_of_the_measures_free(broker: Broker, engine: FakeEngine) -> None:
    slow = broker.submit(umap(), visitor="a")
    engine.calls[0].answer("graphs")
    assert [call.call.lane for call in engine.calls] == [TENSORS, REDUCER]
    assert engine.calls[1].call.given == "graphs" and slow.state == "running"
    quick = broker.submit(request(), visitor="a")
    engine.calls[2].answer("measured")
    assert quick.answer() == "measured" and not slow.finished()
    engine.calls[1].answer("maps")
    assert slow.answer() == "maps"


def test_waiting_between_two_stages_is_no_computing(broker: Broker, engine: FakeEngine) -> None:
    for i in range(2):
        job = broker.submit(umap(i), visitor=str(i))
        engine.calls[i * 2].answer("graphs")
    assert [call.call.lane for call in engine.calls] == [TENSORS, REDUCER, TENSORS] and job.state == "waiting"
    before = job.stopwatch.seconds
    time.sleep(0.1)
    assert job.stopwatch.seconds == before and job.position == 1
    engine.calls[1].answer("maps")
    time.sleep(0.1)
    assert job.state == "running" and job.stopwatch.seconds > before


def test_waiting_reductions_do_not_close_the_queue_of_the_measures(broker: Broker, engine: FakeEngine) -> None:
    for i in range(9):
        broker.submit(umap(i), visitor=str(i))
        engine.calls[-1].answer("graphs") if i < 2 else None
    broker.submit(umap(9), visitor="9")
    with pytest.raises(Busy):
        broker.submit(umap(10), visitor="10")
    broker.submit(request(), visitor="10")


def test_a_waiting_job_that_nobody_wants_never_runs(broker: Broker, engine: FakeEngine) -> None:
    broker.submit(request(0), visitor="a")
    waiting = broker.submit(request(1), visitor="a")
    third = broker.submit(request(2), visitor="b")
    broker.leave("a", waiting)
    assert waiting.state == "cancelled" and third.position == 1
    with pytest.raises(Cancelled):
        waiting.answer()
    engine.calls[0].answer()
    assert engine.calls[1].call.given == request(2)
    assert broker.submit(request(1), visitor="a") is not waiting


def test_a_running_job_that_nobody_wants_is_cancelled_and_its_lane_freed(broker: Broker, engine: FakeEngine) -> None:
    left = broker.submit(request(0), visitor="a")
    following = broker.submit(request(1), visitor="b")
    broker.leave("a", left)
    assert left.state == "cancelled" and engine.calls[0].cancelled
    assert following.state == "waiting"  # the engine has not left the call yet
    again = broker.submit(request(0), visitor="a")
    engine.calls[0].tell(("cancelled",))
    assert following.state == "running" and again.state == "waiting"
    engine.calls[1].answer()
    engine.calls[2].answer("anew")
    assert again.answer() == "anew"


def test_an_answer_that_comes_too_late_changes_nothing(broker: Broker, engine: FakeEngine, shelf: Shelf) -> None:
    left = broker.submit(umap(), visitor="a")
    broker.leave("a", left)
    engine.calls[0].answer("graphs")
    assert left.state == "cancelled" and len(engine.calls) == 1 and shelf.kept == {}


def test_a_shared_job_survives_one_of_its_visitors(broker: Broker, engine: FakeEngine) -> None:
    job = broker.submit(request(), visitor="a")
    broker.submit(request(), visitor="b")
    broker.leave("a", job)
    broker.leave("a", job)
    assert job.state == "running" and not engine.calls[0].cancelled
    broker.leave("b", job)
    assert job.state == "cancelled"


def test_the_jobs_of_a_closed_browser_are_dropped(broker: Broker, engine: FakeEngine, away: set[str]) -> None:
    running, waiting = (broker.submit(request(i), visitor="a") for i in range(2))
    shared = broker.submit(request(2), visitor="b")
    broker.submit(request(2), visitor="c")
    away |= {"a", "b"}
    wait_until(lambda: running.state == waiting.state == "cancelled")
    assert engine.calls[0].cancelled and shared.visitors == {"c"} and not shared.failed


def test_a_job_that_takes_too_long_is_refused(
    broker: Broker, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "JOB_SECONDS", 0.3)
    slow, waiting = (broker.submit(request(i), visitor="a") for i in range(2))
    assert slow.finished(within=60) and engine.calls[0].cancelled
    with pytest.raises(TimedOut, match="longer than 0 seconds"):
        slow.answer()
    time.sleep(0.5)
    assert waiting.state == "waiting"  # only computing counts


@pytest.mark.parametrize("end", [("cancelled",), ("refused", WorkerLost("It was deaf.", "Ask again."))])
def test_a_long_encoding_gives_way_to_others_and_goes_on_while_it_gets_farther(
    end: tuple[Any, ...], broker: Broker, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "JOB_SECONDS", 0.3)
    long, other = (broker.submit(request(i), visitor="a") for i in range(2))
    engine.calls[0].tell(("progress", 0.2, Interruptible("encoding with a")))
    wait_until(lambda: engine.calls[0].cancelled)
    assert not long.finished()
    engine.calls[0].tell(end)
    assert other.state == "running" and long.state == "waiting"
    engine.calls[1].answer()
    assert other.answer() == "answer" and long.state == "running"
    engine.calls[2].tell(("progress", 0.2, Interruptible("encoding with a")))  # no farther than before
    assert long.finished(within=60) and engine.calls[2].cancelled
    with pytest.raises(TimedOut):
        long.answer()


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (("refused", BadChoice("No such thing.", "Choose.")), BadChoice, "No such thing. Choose."),
        (("failed", "Traceback: deep inside"), RuntimeError, "deep inside"),
    ],
)
def test_a_failed_job_raises_its_error_and_is_tried_anew(
    broker: Broker, engine: FakeEngine, shelf: Shelf, told: Any, kind: type[Exception], words: str
) -> None:
    engine.told = told
    job = broker.submit(request(), visitor="a")
    assert job.failed and job.finished()
    with pytest.raises(kind, match=words):
        job.answer()
    engine.told = ("answer", "now it works")
    assert broker.submit(request(), visitor="a").answer() == "now it works" and job.failed
    assert shelf.kept == {request(): "now it works"}


def test_a_stored_answer_needs_no_worker(broker: Broker, engine: FakeEngine, shelf: Shelf) -> None:
    shelf.kept[request()] = "from the disk"
    job = broker.submit(request(), visitor="a")
    assert job.state == "done" and job.answer() == "from the disk" and not engine.calls


def test_trouble_with_stored_answers_stops_no_job(engine: FakeEngine) -> None:
    class Troubled:
        def key(self, asked: Any, *, age: float) -> str:
            if asked == request(0):
                raise UnknownName("model", "0", ["a"])
            return "key"

        def read(self, _request: Any, _key: str) -> None:
            return None

        def write(self, _request: Any, _key: str, _answer: Any) -> None:
            raise ZeroDivisionError

    broker = Broker(engine, answers=Troubled())
    for i in range(2):
        job = broker.submit(request(i), visitor="a")
        engine.calls[i].answer(i)
        assert job.answer() == i
    broker.close()


def test_finished_answers_are_forgotten_oldest_first(
    broker: Broker, engine: FakeEngine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_REMEMBERED", 2)
    engine.told = ("answer", "answer")
    made = [broker.submit(request(i), visitor="a") for i in range(4)]
    shelf.kept.clear()
    assert broker.submit(request(3), visitor="a") is made[3]
    assert broker.submit(request(0), visitor="a") is not made[0]


def test_the_status_counts_and_a_closed_broker_takes_nothing(engine: FakeEngine) -> None:
    broker = Broker(engine)
    made = [broker.submit(request(i), visitor=str(i)) for i in range(3)]
    status = broker.status()
    assert (status.ready, status.waiting, status.running, status.device) == (True, 2, 1, None)
    broker.close()
    status = broker.status()
    assert engine.closed and (status.ready, status.waiting, status.running) == (False, 0, 0)
    for job in made:
        with pytest.raises(RelvizError, match="server is stopping"):
            job.answer()
    with pytest.raises(Busy, match="stopping"):
        broker.submit(request(9), visitor="a")


def test_the_time_left_is_guessed_when_enough_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("relviz.jobs.job.time.monotonic", lambda: now[0])
    watch = Stopwatch()
    watch.start()
    for seconds, share in ((0.5, 0.5), (10.0, 0.04)):  # too early, too little
        now[0] = 100.0 + seconds
        watch.learn(share)
        assert watch.left is None
    now[0] = 120.0
    watch.learn(0.5)
    assert watch.left == pytest.approx(20)
    now[0] = 125.0
    assert watch.left == pytest.approx(15)
    watch.learn(1.0)  # a leap moves the guess, but not all the way
    assert 0 < watch.left < 15
    watch.stop()
    now[0] = 1000.0
    assert watch.seconds == pytest.approx(25)
    watch.start()
    now[0] = 1001.0
    assert watch.seconds == pytest.approx(26)


def test_a_new_job_has_no_guess() -> None:
    job = Job(request(), None)
    job.progress(0.5, "at once")
    assert job.seconds_left is None
