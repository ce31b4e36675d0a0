"""Every page's logic without a browser: first run, one change, bad links, unforeseen errors."""

import contextlib
import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from relviz.core.measures import MEASURES
from relviz.jobs.broker import Broker
from relviz.plots.words import find_cell
from relviz.requests import Anchors, Compare, Stitch
from relviz.ui import wishes
from relviz.usecases.table import run
from tests.jobs.engines import FakeEngine

FRAME = Path(__file__).resolve().parents[2] / "pages" / "frame.py"
PAGES = ["explore", "similarity", "stitching"]


def first_run(**query: str) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    for name, value in {"data": "digits", **query}.items():
        app.query_params[name] = value
    return app.run()


def open_page(page: str, **query: str) -> AppTest:
    app = first_run(**query)
    if page != "explore":
        app.switch_page(str(FRAME.parent / f"{page}.py")).run()
    return settle(app)


def settle(app: AppTest) -> AppTest:
    """Run again until no progress is shown, as the page's timer does in a browser."""
    for _ in range(100):
        if not app.get("progress"):
            return app
        time.sleep(0.3)
        app.run()
    pytest.fail("the page never came to rest")


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.markdown)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_one_sentence_and_pictures(page: str) -> None:
    app = open_page(page)
    assert not app.exception and not app.error
    assert app.get("bidi_component" if page == "explore" else "plotly_chart")
    assert re.search(r"\d\.\d\d", text(app))


def test_explore_shows_the_numbers_of_the_use_cases_and_follows_the_controls() -> None:
    app = open_page("explore", a="digits-cnn-s0", b="digits-mlp-s1", anchors="100")
    for b, anchors in (("digits-mlp-s1", 100), ("digits-cnn-s1", 50)):
        app.selectbox(key="b").select(b)
        app.slider(key="anchors").set_value(anchors)
        settle(app.run())
        compared = run(Compare("digits-cnn-s0", b, "digits", Anchors(anchors)))
        stitched = find_cell(
            run(Stitch(("digits-cnn-s0", b), "digits", Anchors(anchors))), "digits-cnn-s0", b, "relative-cosine"
        )
        assert f"**{anchors} anchors**" in text(app)
        assert f"**{100 * compared.relative['jaccard'].value:.0f} %**" in text(app)
        assert f"**{stitched.accuracy:.3f} ±" in text(app)


def test_unlike_widths_are_words_not_errors() -> None:
    app = open_page("explore", a="digits-cnn-s0", b="digits-mlp-s0")
    assert not app.exception and not app.error
    assert "widths differ (32 and 64)" in text(app)


def test_changing_the_data_set_changes_the_models_on_offer() -> None:
    app = open_page("explore")
    app.selectbox(key="data").select("fashion-mnist")
    app.run()
    assert app.selectbox(key="a").value == "fmnist-cnn-s0"
    assert all(name.startswith("fmnist-") for name in app.selectbox(key="b").options)


def test_every_measure_has_its_heat_maps() -> None:
    app = open_page("similarity")
    for name, measure in MEASURES.items():
        settle(app.selectbox(key="measure").select(name).run())
        assert measure.label.format(k=10) in text(app)
        assert len(app.get("plotly_chart")) == 2


def test_the_chosen_pair_shows_its_null_band_and_interval_when_asked() -> None:
    app = open_page("similarity", a="digits-cnn-s0", b="digits-cnn-s1")
    assert "permuted samples" not in text(app)
    settle(app.toggle(key="sure").set_value(True).run())
    pair = Compare("digits-cnn-s0", "digits-cnn-s1", "digits", measures=("cka",), draws=100)
    found = run(pair).relative["cka"]
    for end in (*found.interval, *found.null):
        assert f"{end:.3f}" in text(app)


def test_a_link_to_an_unknown_model_says_so() -> None:
    app = first_run(a="digits-cn-s0")
    assert not app.exception
    assert app.selectbox(key="a").value == "digits-cnn-s0"
    assert any("no model called 'digits-cn-s0'. Did you mean 'digits-cnn-s0'?" in toast.value for toast in app.toast)


@pytest.mark.parametrize("page", PAGES)
def test_an_unforeseen_error_shows_no_traceback(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(told=("failed", "Traceback: secret /path/of/the/server"))
    with contextlib.closing(Broker(engine)) as one:
        monkeypatch.setattr(wishes, "broker", lambda: one)
        app = open_page(page)
    shown = [element.value for element in app.error]
    assert not app.exception
    assert shown and all("Something went wrong inside relviz" in words for words in shown)
    assert not any("secret" in words for words in shown)
