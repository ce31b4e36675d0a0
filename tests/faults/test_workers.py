"""Processes that are killed, left behind, or asked by many at once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from relviz.errors import WorkerLost
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.jobs.job import Job
from relviz.requests import Anchors, Compare, Maps
from relviz.usecases import maps
from relviz.usecases.maps import FourMaps
from relviz.usecases.table import TENSORS, Stage, UseCase, run
from tests.jobs import engines
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
# A server whose tensor worker sleeps deaf and whose reducer compiles and reduces.
SERVER = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
from relviz.jobs.engine import LocalEngine, StageCall
from relviz.usecases.table import TENSORS
from tests.jobs import engines
engine = LocalEngine()
while not engine.ready:
    time.sleep(0.05)
engine.start(StageCall(TENSORS, engines.wait_deaf, 600.0), print)
time.sleep(1.5)
print(*(lane._process.pid for lane in engine._lanes.values()), flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # dead, only nobody has asked yet


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_server_leaves_no_worker(how: signal.Signals) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert server.stdout is not None
    workers = [int(pid) for pid in server.stdout.readline().split()]
    try:
        assert len(workers) == 2 and all(map(alive, workers))
        server.send_signal(how)
        server.wait(20)
        wait_until(lambda: not any(map(alive, workers)))
    finally:
        server.kill()
        server.communicate()
        for pid in filter(alive, workers):
            os.kill(pid, signal.SIGKILL)


def test_a_job_whose_worker_is_killed_is_refused_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    broker = Broker(LocalEngine())
    try:
        with monkeypatch.context() as patch:
            deadly = UseCase(None, lambda _request: (Stage(TENSORS, engines.die),))
            patch.setattr("relviz.jobs.job.use_case", lambda _kind: deadly)
            job = broker.submit(Compare("a", "b", "digits"), visitor="a")
        following = broker.submit(Compare("digits-cnn-s0", "digits-cnn-s1", "digits", measures=("cka",)), visitor="a")
        assert job.finished(within=60)
        with pytest.raises(WorkerLost):
            job.answer()
        assert following.finished(within=60) and following.answer().absolute["cka"].value > 0
    finally:
        broker.close()


def test_six_threads_may_ask_for_umap_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Maps("digits-cnn-s0", "digits-mlp-s1", "digits", Anchors(60 + i), "umap") for i in range(6)]
    broker = Broker(LocalEngine())
    made: dict[int, Job] = {}

    def ask(number: int) -> None:
        made[number] = broker.submit(asked[number], visitor=str(number))
        made[number].finished(within=240)

    try:
        threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        answers: list[FourMaps] = [made[number].answer() for number in range(6)]
    finally:
        broker.close()
    monkeypatch.setattr(maps.cache, "read", lambda _key: None)  # nothing of what the workers stored
    here = run(asked[5])
    for name in ("absolute_a", "absolute_b", "relative_a", "relative_b"):
        assert getattr(answers[5], name).view.equal(getattr(here, name).view)
        assert getattr(answers[5], name).kept == pytest.approx(getattr(here, name).kept, abs=1e-3)
    assert len({answer.relative_a.view.numpy().tobytes() for answer in answers}) == 6
