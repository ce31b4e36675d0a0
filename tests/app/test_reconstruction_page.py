"""The Reconstruction page: pictures with their errors, the anchor equaliser, the scale, or what to choose."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from relviz.requests import Change, Equalise, Reconstruct, Rescale
from relviz.usecases.table import run
from tests.app.test_pages import open_page, settle, text

PAIR = ("fmnist-ae-s0", "fmnist-ae-s1")
RELATIVE = ("fmnist-relae-s0", "fmnist-relae-s1")


def page(a: str, b: str, part: str = "Pictures", data: str = "fashion-mnist") -> AppTest:
    return open_page("reconstruction", data=data, a=a, b=b, part=part)


def table(app: AppTest) -> str:
    return "\n".join(each.proto.body for each in app.get("html") if "relviz-rebuilt" in each.proto.body)


def told(app: AppTest) -> str:
    return "\n".join(info.value for info in app.info)


@pytest.mark.parametrize(("pair", "others"), [(PAIR, RELATIVE), (RELATIVE, PAIR)])
def test_both_kinds_of_stitching_stand_side_by_side(pair: tuple[str, str], others: tuple[str, str]) -> None:
    app = page(*pair)
    assert not app.exception and not app.error
    found = run(Reconstruct(*pair, "fashion-mnist"))
    beside = run(Reconstruct(*others, "fashion-mnist", methods=("absolute",)))
    ways = [*found.rebuilt, *beside.rebuilt]
    assert len(ways) == 7 and all(way.pictures is not None for way in ways)
    drawn = table(app)
    assert drawn.count("<img") == 1 + len(ways)
    for way in ways:
        figures = f'title="{way.error}">{way.error:.4f}<', f">{way.psnr:.1f}<", f">{way.ssim:.3f}<"
        assert all(figure in drawn for figure in figures)
    assert f"with {found.rebuilt[0].error:.4f}" in text(app) and f"**{beside.rebuilt[1].error:.4f}**" in text(app)


def test_a_classifier_may_encode_and_what_cannot_be_decoded_says_why() -> None:
    app = page("fmnist-cnn-s0", PAIR[1])
    assert not app.exception and not app.error
    assert "the widths differ (128 and 64)" in table(app) and table(app).count("<img") == 5


def test_a_model_without_decoder_is_told_what_to_choose() -> None:
    app = page(PAIR[0], "fmnist-cnn-s0")
    assert "'fmnist-cnn-s0' has no decoder" in told(app) and "fmnist-vae-s1" in told(app)


@pytest.mark.parametrize("part", ["Pictures", "Anchor equaliser"])
def test_data_without_autoencoders_says_so(part: str) -> None:
    app = page("digits-cnn-s0", "digits-cnn-s1", part, data="digits")
    assert "No autoencoder of the shelf reads 'digits'" in told(app)


def test_a_moved_slider_changes_the_picture_and_reset_takes_it_back() -> None:
    app = page(*RELATIVE, "Anchor equaliser")
    own = run(Equalise(RELATIVE[1], "fashion-mnist"))
    sliders = {each.label: each for each in app.main.slider}
    assert list(sliders) == [f"Anchor {anchor}" for anchor in own.nearest.tolist()]
    anchor = int(own.nearest[0])
    sliders[f"Anchor {anchor}"].set_value(-0.5)
    settle(app.run())
    changed = run(Equalise(RELATIVE[1], "fashion-mnist", 0, (Change(anchor, -0.5),)))
    assert f"**{own.own_error:.4f}**, with one similarity changed **{changed.error:.4f}**" in text(app)
    assert changed.error != pytest.approx(own.own_error, rel=0.01)
    app.button[0].click()
    settle(app.run())
    assert "Move a slider" in text(app) and "changed" not in text(app)
    assert app.main.slider[0].value == pytest.approx(float(own.own[anchor]), abs=0.006)


def test_another_sample_has_its_own_sliders() -> None:
    app = page(*RELATIVE, "Anchor equaliser")
    app.main.slider[0].set_value(0.0)
    settle(app.run())
    app.main.number_input[0].set_value(7)
    settle(app.run())
    other = run(Equalise(RELATIVE[1], "fashion-mnist", 7))
    assert "Move a slider" in text(app)
    assert app.main.slider[0].label == f"Anchor {other.nearest[0]}"


@pytest.mark.parametrize("model", [PAIR[1], "fmnist-cnn-s1"])
def test_models_without_relative_codes_say_why_there_is_no_equaliser(model: str) -> None:
    app = page(RELATIVE[0], model, "Anchor equaliser")
    assert not app.exception and not app.error and not app.main.slider
    assert re.search(r"absolute coordinates|no decoder", told(app)) and "fmnist-relvae-s0" in told(app)


@pytest.mark.parametrize(
    ("pair", "figures"), [(("digits-cnn-s0", "digits-mlp-s0"), 1), (("fmnist-cnn-s0", PAIR[1]), 2)]
)
def test_the_scale_draws_accuracies_and_errors_apart(pair: tuple[str, str], figures: int) -> None:
    data = "digits" if figures == 1 else "fashion-mnist"
    app = page(*pair, "Scale", data)
    assert not app.exception and not app.error
    assert len(app.get("plotly_chart")) == figures
    for curve in run(Rescale(pair, data)):
        at_one = curve.values[curve.factors.index(1.0)]
        assert f"**{curve.model}**" in text(app) and f"**{at_one:.{4 if curve.decodes else 3}f}**" in text(app)
