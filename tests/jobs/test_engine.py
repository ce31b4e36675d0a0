import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch

from relviz.errors import BadChoice, WorkerLost
from relviz.jobs.engine import GRACE, LocalEngine, Running, StageCall
from relviz.jobs.pipe import Message
from relviz.requests import Anchors, Maps
from relviz.usecases.maps import finish_maps, prepare_maps
from relviz.usecases.table import REDUCER, TENSORS, run
from tests.jobs import engines
from tests.pace import in_time
from tests.waiting import wait_until

MARGIN = 10.0  # seconds


class Call:
    """A call that was started, and what was heard of it."""

    def __init__(self, engine: LocalEngine, work: Any, given: Any = None, lane: str = TENSORS) -> None:
        self._heard: SimpleQueue[Message] = SimpleQueue()
        self.running: Running = engine.start(StageCall(lane, work, given), self._heard.put)

    def next(self) -> Message:
        return self._heard.get(timeout=60)

    def last(self) -> Message:
        while (message := self.next())[0] == "progress":
            pass
        assert self._heard.empty()
        return message


@pytest.fixture(scope="module")
def engine(own_environment: Path) -> Iterator[LocalEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))  # workers import this test's stages
        made = LocalEngine()
        wait_until(lambda: made.ready)
        yield made
        made.close()


def worker(engine: LocalEngine, lane: str = TENSORS) -> int:
    """The process that serves a lane."""
    _, pid = Call(engine, engines.give_back, lane=lane).last()[1]
    return pid


def test_arrays_text_and_progress_come_through(engine: LocalEngine) -> None:
    given = {"x": torch.arange(6.0).reshape(2, 3).T, "names": ("a", None)}
    call = Call(engine, engines.give_back, given)
    assert call.next() == ("progress", 0.5, "half way")
    kind, (found, pid) = call.last()
    assert kind == "answer" and found["x"].equal(given["x"]) and found["names"] == given["names"]
    assert pid not in (os.getpid(), worker(engine, REDUCER)) and pid == worker(engine)


def test_a_refusal_comes_through_whole_and_a_fault_as_its_traceback(engine: LocalEngine) -> None:
    before = worker(engine)
    kind, error = Call(engine, engines.refuse).last()
    assert kind == "refused" and type(error) is BadChoice and str(error) == "That is no number. Choose 3."
    kind, words = Call(engine, engines.break_down).last()
    assert kind == "failed" and "ZeroDivisionError: by nought" in words and "break_down" in words
    assert worker(engine) == before


def test_a_cancelled_call_that_looks_ends_at_once_and_its_worker_stays(engine: LocalEngine) -> None:
    before = worker(engine)
    call = Call(engine, engines.wait_kindly, 60.0)
    assert call.next()[0] == "progress"
    call.running.cancel()
    assert call.last() == ("cancelled",)  # within `GRACE`, else its worker would have been replaced
    assert worker(engine) == before


def test_a_cancelled_call_that_does_not_look_costs_its_worker(engine: LocalEngine) -> None:
    before = worker(engine)
    call = Call(engine, engines.wait_deaf, 60.0)
    time.sleep(0.3)
    began = time.monotonic()
    call.running.cancel()
    assert call.last()[0] == "refused"  # as when a worker is lost; whoever cancelled does not look
    took = time.monotonic() - began
    assert took >= GRACE and in_time(took, GRACE + MARGIN)
    assert worker(engine) != before


def test_a_call_cancelled_before_it_began_never_begins(engine: LocalEngine) -> None:
    first = Call(engine, engines.wait_kindly, 0.5)
    second = Call(engine, engines.die)
    second.running.cancel()
    assert first.last() == ("answer", "waited")
    assert second.last() == ("cancelled",)


def test_a_late_cancel_touches_no_later_call(engine: LocalEngine) -> None:
    first = Call(engine, engines.give_back)
    first.last()
    first.running.cancel()
    assert Call(engine, engines.wait_kindly, GRACE + 0.5).last() == ("answer", "waited")


@pytest.mark.parametrize("lane", [TENSORS, REDUCER])
def test_a_worker_killed_at_work_is_one_sentence_and_the_next_call_works(engine: LocalEngine, lane: str) -> None:
    before = worker(engine, lane)
    kind, error = Call(engine, engines.die, lane=lane).last()
    assert kind == "refused" and isinstance(error, WorkerLost)
    assert error.sentence == "The process that computed this ended before its answer." and error.hint
    assert worker(engine, lane) != before


def test_a_worker_killed_at_rest_is_replaced_unnoticed(engine: LocalEngine) -> None:
    before = worker(engine)
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    assert not engine.ready
    assert worker(engine) != before and engine.ready


def test_umap_is_left_half_way_and_its_worker_stays_warm(engine: LocalEngine) -> None:
    before = worker(engine, REDUCER)
    asked = Maps("digits-cnn-s0", "digits-cnn-s1", "digits", Anchors(37), "umap")
    call = Call(engine, finish_maps, prepare_maps(asked, lambda *_: None), lane=REDUCER)
    while (message := call.next())[:1] == ("progress",) and message[1] < 0.3:
        pass
    call.running.cancel()
    assert call.last() == ("cancelled",)
    assert worker(engine, REDUCER) == before


def test_numbers_are_those_of_this_process_and_the_device_is_heard_of(engine: LocalEngine) -> None:
    asked = Maps("digits-cnn-s0", "digits-mlp-s1", "digits", Anchors(41))
    kind, found = Call(engine, run_whole, asked).last()
    here = run(asked)
    assert kind == "answer"
    for name in ("absolute_a", "absolute_b", "relative_a", "relative_b"):
        assert getattr(found, name).view.equal(getattr(here, name).view)
        assert getattr(found, name).kept == getattr(here, name).kept
    assert engine.device is not None and engine.device.total_bytes > engine.device.used_bytes > 0


def run_whole(asked: Maps, _progress: Any) -> Any:
    return run(asked)


def test_many_threads_may_start_and_cancel_at_once(engine: LocalEngine) -> None:
    ended: SimpleQueue[Message] = SimpleQueue()

    def visit(number: int) -> None:
        call = Call(engine, engines.wait_kindly, 0.02)
        if number % 2:
            call.running.cancel()
        ended.put(call.last())

    threads = [threading.Thread(target=visit, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    kinds = [ended.get_nowait()[0] for _ in threads]
    assert set(kinds) <= {"answer", "cancelled"} and kinds.count("answer") >= 10


def test_closing_leaves_no_process() -> None:
    made = LocalEngine()
    call = Call(made, engines.wait_deaf, 60.0)
    time.sleep(0.5)
    processes = [lane._process for lane in made._lanes.values()]
    began = time.monotonic()
    made.close()
    assert in_time(time.monotonic() - began, MARGIN) and not made.ready
    assert all(process is not None and process.poll() is not None for process in processes)
    assert call.last()[0] == "refused"
