"""What pages ask for: in order, within the limits, and left when it is no longer wanted."""

from typing import Any

from streamlit.testing.v1 import AppTest

from relviz.errors import WorkerLost
from relviz.jobs.broker import Broker
from relviz.requests import Compare
from relviz.ui.wishes import Wishes
from tests.jobs.engines import FakeEngine

PLACES = ("first", "second", "third", "fourth")


def request(place: str, choice: int = 0) -> Compare:
    return Compare(place, str(choice), "digits")


def begun(engine: FakeEngine) -> list[str]:
    return [call.call.given.a for call in engine.calls]


def test_four_wishes_are_served_in_the_order_of_the_page(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    made = [wishes.wish(place, request(place)) for place in PLACES]
    assert [wish.open for wish in made] == [False, False, True, True]
    assert [wish.progress()[1] for wish in made] == [
        "starting",
        "waiting: position 1",
        "2 other answers are on their way to you; this page asks again by itself",
        "waiting for its turn",
    ]
    engine.calls[0].tell(("progress", 0.25, "measuring"))
    assert made[0].progress() == (0.25, "measuring")
    for done, wish in enumerate(made):
        engine.calls[done].answer(done)
        assert wish.finished() and wish.job.answer() == done
        wishes.ask()
    assert begun(engine) == list(PLACES)


def test_another_choice_leaves_the_former_jobs_and_starts_no_stale_one(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    former = [wishes.wish(place, request(place)) for place in PLACES]
    later = [wishes.wish(place, request(place, 1)) for place in PLACES]
    assert [wish.job.state for wish in former[:2]] == ["cancelled", "cancelled"] and engine.calls[0].cancelled
    assert former[2].open and former[3].open
    engine.calls[0].tell(("cancelled",))
    for done, _ in enumerate(later, start=1):
        engine.calls[done].answer()
        wishes.ask()
    assert [call.call.given for call in engine.calls[1:]] == [request(place, 1) for place in PLACES]


def test_the_same_choice_again_keeps_its_jobs_also_failed_ones(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    wish = wishes.wish("first", request("first"))
    engine.calls[0].tell(("refused", WorkerLost("It ended.", "Reload.")))
    again = wishes.wish("first", request("first"))
    assert again is wish and wish.finished() and len(engine.calls) == 1


def test_two_places_may_want_the_same_job(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    there, back = (wishes.wish(place, request("both")) for place in PLACES[:2])
    assert there.job is back.job
    wishes.wish("first", request("first"))
    assert back.job.state == "running" and back.job.visitors == {"visitor"}
    wishes.wish("second", request("second"))
    assert back.job.state == "cancelled"


def test_another_page_leaves_everything(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    wishes.turn_to("explore")
    made = [wishes.wish(place, request(place)) for place in PLACES]
    wishes.turn_to("explore")
    assert made[0].job.state == "running"
    wishes.turn_to("similarity")
    assert made[0].job.state == made[1].job.state == "cancelled"
    wishes.ask()
    assert len(engine.calls) == 1


def test_what_a_run_no_longer_asks_for_is_left_at_its_end(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    made = [wishes.wish(place, request(place)) for place in PLACES[:2]]
    wishes.leave_rest()
    assert [wish.job.state for wish in made] == ["running", "waiting"]
    wishes.wish("second", request("second"))
    wishes.leave_rest()
    assert [wish.job.state for wish in made] == ["cancelled", "waiting"] and engine.calls[0].cancelled


def test_a_browser_that_was_away_for_a_while_asks_again(broker: Broker, engine: FakeEngine) -> None:
    wishes = Wishes("visitor")
    wish = wishes.wish("first", request("first"))
    broker.drop("visitor")
    assert wish.open and not wish.finished()
    engine.calls[0].tell(("cancelled",))
    wishes.ask()
    engine.calls[1].answer()
    assert wish.finished()


def test_a_full_server_says_so_and_lets_the_page_in_later(broker: Broker, engine: FakeEngine) -> None:
    for i in range(9):
        broker.submit(request("others", i), visitor=str(i))
    wishes = Wishes("visitor")
    wish = wishes.wish("first", request("first"))
    assert wish.progress()[1] == "The server is busy: 8 jobs are waiting; this page asks again by itself"
    engine.calls[0].answer()
    wishes.ask()
    assert not wish.open and wish.progress()[1] == "waiting: position 8"


def page() -> None:
    import streamlit as st

    from relviz.requests import Compare
    from relviz.ui.asking import Question

    choice = st.selectbox("choice", ["0", "1"], key="choice")
    questions = [Question(place, Compare(place, choice, "digits")) for place in ("first", "second", "third")]
    for question in questions:
        found = question.answer(patience=0)
        if found is not None:
            with question.place():
                st.markdown(found)


def shown(app: AppTest) -> tuple[list[Any], list[Any]]:
    return [bar.proto.text for bar in app.get("progress")], [words.value for words in app.markdown]


def test_a_page_shows_each_place_at_its_turn_and_nothing_of_a_former_choice(broker: Broker, engine: FakeEngine) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    waiting = "2 other answers are on their way to you; this page asks again by itself …"
    assert shown(app) == (["starting …", "waiting: position 1 …", waiting], [])
    engine.calls[0].answer("one")
    assert shown(app.run()) == (["starting …", "waiting: position 1 …"], ["one"])
    engine.calls[1].answer("two")
    assert shown(app.run()) == (["starting …"], ["one", "two"])
    app.selectbox(key="choice").select("1").run()
    assert shown(app)[1] == [] and len(shown(app)[0]) == 3
    engine.calls[2].tell(("cancelled",))
    engine.calls[3].tell(("refused", WorkerLost("It ended.", "Reload.")))
    app.run()
    assert [error.value for error in app.error] == ["It ended. Reload."] and len(engine.calls) == 5
