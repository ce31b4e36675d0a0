"""Streamlit ends a script wherever it next calls Streamlit; what a visitor's session remembers must stay whole."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from relviz.jobs.broker import Broker
from relviz.requests import Compare, Maps, Request
from relviz.ui import wishes
from relviz.ui.controls import Choice
from relviz.usecases.table import complete
from tests.jobs.engines import FakeEngine

RUNS = 100
MODELS = ("digits-cnn-s1", "digits-mlp-s1")


class Fuse:
    """Stops the script at its n-th look whether it should go on."""

    def __init__(self) -> None:
        self.left, self.looks = -1, 0

    def burn(self, runner: Any) -> None:
        if runner._is_in_script_thread() and runner._execing:
            self.looks += 1
            self.left -= 1
            if self.left == 0:
                raise StopException


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    made = Fuse()
    monkeypatch.setattr(LocalScriptRunner, "_maybe_handle_execution_control_request", lambda runner: made.burn(runner))
    return made


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    made = Broker(FakeEngine())
    monkeypatch.setattr(wishes, "broker", lambda: made)
    yield made
    made.close()


def page() -> None:
    from relviz.requests import Compare, Maps
    from relviz.ui.asking import Question
    from relviz.ui.controls import choose, chosen

    choose()
    choice = chosen()
    pair = (choice.a, choice.b, choice.data, choice.anchors)
    questions = [Question("maps", Maps(*pair)), Question("compare", Compare(*pair, choice.k))]
    for question in questions:
        question.answer(patience=0)


def state(app: AppTest) -> tuple[Choice, list[Request]]:
    wishes = app.session_state["wishes"]
    return app.session_state["choice"], [wish.request for wish in wishes._places.values()]


def wanted(choice: Choice) -> list[Request]:
    pair = (choice.a, choice.b, choice.data, choice.anchors)
    return [Maps(*pair), Compare(*pair, choice.k)]


def test_a_run_interrupted_anywhere_leaves_the_former_state_or_the_new_one(fuse: Fuse, broker: Broker) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["data"] = "digits"
    app.run()
    looks, chance = fuse.looks, random.Random(0)  # noqa: S311
    assert looks > 20 and not app.exception
    before, seen = app.session_state["choice"], set()
    for _ in range(RUNS):
        other = MODELS[before.b == MODELS[0]]
        app.selectbox(key="b").select(other)
        fuse.left = chance.randrange(1, looks + 1)
        app.run()
        fuse.left = -1
        choice, requests = state(app)
        new = Choice(before.a, other, before.data, before.anchors, before.k)
        assert choice in (before, new)
        # Each place asks for the former choice's or the new one's, and the visitor has no job that no place wants.
        pairs = zip(requests, wanted(before), wanted(new), strict=True)
        assert all(request in either for request, *either in pairs)
        unfinished = [job for job in broker._jobs.values() if not job.finished()]
        assert {job.request for job in unfinished if job.visitors} <= {complete(request) for request in requests}
        seen.add((choice == new, requests == wanted(new)))
        app.run()
        before, requests = state(app)
        assert requests == wanted(before) and not app.exception
    assert {(False, False), (True, True)} <= seen


def test_the_fuse_can_burn(fuse: Fuse, broker: Broker) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    fuse.left = 1
    app.run()
    assert "choice" not in app.session_state and "wishes" not in app.session_state
