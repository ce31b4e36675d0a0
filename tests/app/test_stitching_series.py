"""Answers that are drawn together as they come: in order, each once, and none of a former choice."""

from streamlit.testing.v1 import AppTest

from relviz.errors import WorkerLost
from relviz.jobs.broker import Broker
from tests.jobs.engines import FakeEngine


def page() -> None:
    import streamlit as st

    from relviz.requests import Compare
    from relviz.ui.asking import Series
    from relviz.ui.wishes import leave_rest

    def draw(answers):  # type: ignore[no-untyped-def]
        # To a place outside, as the page's sentence; Streamlit lets only those write there that always do.
        outside.markdown(", ".join(f"{request.a}{request.b}={found}" for request, found in answers.items()))

    choice = st.selectbox("choice", ["x", "y"], key="choice")
    outside = st.empty()
    series = Series("series")
    series.ask({"chosen": Compare("chosen ", choice, "digits"), "one": Compare("one", "", "digits")})
    series.ask({"one": Compare("one", "", "digits"), "two": Compare("two", "", "digits")})
    series.show(draw)
    leave_rest()


def shown(app: AppTest) -> tuple[list[str], list[str]]:
    return [bar.proto.text for bar in app.get("progress")], [words.value for words in app.markdown]


def begun(engine: FakeEngine) -> list[str]:
    return [call.call.given.a + call.call.given.b for call in engine.calls]


def test_answers_are_drawn_as_they_come_under_one_line_of_progress(broker: Broker, engine: FakeEngine) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert shown(app) == (["0 of 3; starting …"], [""])
    engine.calls[0].answer(1)
    engine.calls[1].tell(("progress", 0.5, "half way"))
    assert shown(app.run()) == (["1 of 3; half way …"], ["chosen x=1"])
    engine.calls[1].answer(2)
    app.run()
    engine.calls[2].answer(3)
    assert shown(app.run()) == ([], ["chosen x=1, one=2, two=3"])
    assert begun(engine) == ["chosen x", "one", "two"]


def test_another_choice_asks_for_what_differs_alone(broker: Broker, engine: FakeEngine) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    for done in range(3):
        engine.calls[done].answer(done)
        app.run()
    app.selectbox(key="choice").select("y").run()
    assert shown(app) == (["2 of 3; starting …"], ["one=1, two=2"])
    engine.calls[3].answer(9)
    assert shown(app.run()) == ([], ["chosen y=9, one=1, two=2"])
    assert begun(engine) == ["chosen x", "one", "two", "chosen y"]


def test_a_former_choice_is_cancelled_and_its_late_answer_is_not_drawn(broker: Broker, engine: FakeEngine) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.selectbox(key="choice").select("y").run()
    assert engine.calls[0].cancelled
    engine.calls[0].answer("late")
    for done in (1, 2, 3):
        app.run()
        engine.calls[done].answer(engine.calls[done].call.given.a.strip())
    assert shown(app.run()) == ([], ["chosen y=chosen, one=one, two=two"])


def test_equal_refusals_are_told_once_at_the_end_and_the_rest_is_drawn(broker: Broker, engine: FakeEngine) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    for done, message in enumerate((("answer", 1), *[("refused", WorkerLost("It ended.", "Reload."))] * 2)):
        assert not app.error
        engine.calls[done].tell(message)
        app.run()
    assert shown(app) == ([], ["chosen x=1"])
    assert [error.value for error in app.error] == ["It ended. Reload."]
