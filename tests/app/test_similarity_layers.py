"""The Similarity page between the layers of two models."""

from relviz.core.measures import MEASURES
from relviz.requests import Layers
from relviz.usecases.table import run
from tests.app.test_pages import open_page, settle, text

A, B = "digits-cnn-s0", "digits-mlp-s0"


def test_layers_have_a_heat_map_and_the_numbers_of_the_use_case() -> None:
    app = open_page("similarity", a=A, b=B)
    settle(app.segmented_control(key="between").set_value("Layers of A and B").run())
    assert not app.exception and not app.error and len(app.get("plotly_chart")) == 1
    board = run(Layers("cka", A, B, "digits"))
    values = [value.value for row in board.values for value in row]
    for end in (min(values), max(values)):
        assert f"({end:.3f})" in text(app)
    assert any("mean over space" in caption.value for caption in app.main.caption)


def test_every_measure_of_layers_is_words_and_no_error() -> None:
    app = open_page("similarity", a=A, b=B)
    settle(app.segmented_control(key="between").set_value("Layers of A and B").run())
    for name, measure in MEASURES.items():
        settle(app.selectbox(key="measure").select(name).run())
        assert not app.exception and not app.error
        assert measure.label.format(k=10) in text(app) and len(app.get("plotly_chart")) == 1
