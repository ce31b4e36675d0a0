"""The page Anchors without a browser: numbers of the use case, anchors by hand, switched off, and what is refused."""

from streamlit.testing.v1 import AppTest

from relviz.data.catalogue import load_dataset
from relviz.requests import Anchors, by_hand
from relviz.usecases.anchors import DiagnoseAnchors
from relviz.usecases.table import run
from tests.app.test_pages import open_page, settle, text

A, B = "digits-cnn-s0", "digits-mlp-s1"


def opened(**query: str) -> AppTest:
    return open_page("anchors", a=A, b=B, **{"anchors": "20", **query})


def test_the_numbers_are_those_of_the_use_case() -> None:
    app = opened()
    found = run(DiagnoseAnchors(A, B, "digits", Anchors(20)))
    assert not app.exception and not app.error
    assert f"CKA of **{found.similarity.value:.3f}**" in text(app)
    numbers = app.dataframe[0].value
    assert list(numbers.columns) == ["A", "B"]
    for name, space in zip("AB", found.spaces, strict=True):
        assert numbers[name]["coverage"] == f"{space.coverage:.4f}"
        assert numbers[name]["effective rank"] == f"{space.effective_rank.value:.2f}"
    assert len(app.get("plotly_chart")) == 1


def test_switching_anchors_off_shows_the_numbers_without_them() -> None:
    app = opened()
    ids = app.multiselect(key="off").options
    settle(app.multiselect(key="off").set_value(ids[:2]).run())
    found = run(DiagnoseAnchors(A, B, "digits", by_hand(ids[2:])))
    numbers = app.dataframe[0].value
    assert numbers["A without"]["CKA"] == f"{found.similarity.value:.5f}" != numbers["A"]["CKA"]
    settle(app.multiselect(key="off").set_value(ids).run())
    assert any("No anchor is left" in info.value for info in app.info) and not app.exception


def test_anchors_by_hand_take_the_place_of_the_strategy() -> None:
    ids = list(load_dataset("digits").ids[3:8])
    app = opened()
    settle(app.text_area(key="ids").set_value(", ".join(ids)).run())
    assert app.multiselect(key="off").options == ids
    assert "**5 anchors**" in text(app)
    settle(app.text_area(key="ids").set_value("no-such").run())
    assert not app.exception
    assert any("The gallery has no sample 'no-such'" in error.value for error in app.error)


def test_the_address_holds_what_is_switched_off_and_chosen_by_hand() -> None:
    ids = list(load_dataset("digits").ids[3:8])
    app = opened(ids=",".join(ids), off=ids[1])
    assert app.multiselect(key="off").value == [ids[1]]
    assert list(app.dataframe[0].value.columns) == ["A", "B", "A without", "B without"]


def test_one_model_has_numbers_and_no_influence() -> None:
    app = open_page("anchors", a=A, b=A, anchors="20")
    assert list(app.dataframe[0].value.columns) == ["A"] and not app.exception
    assert any("two different models" in info.value for info in app.info)
