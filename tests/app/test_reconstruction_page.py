"""The Reconstruction page: strips of pictures with the errors of the use case, or what to choose."""

from relviz.service.requests import Reconstruct
from relviz.service.run import run
from tests.app.test_pages import open_page, text

PAIR = ("fmnist-ae-s0", "fmnist-ae-s1")


def test_two_autoencoders_show_a_strip_for_each_way_with_its_errors() -> None:
    app = open_page("reconstruction", data="fashion-mnist", a=PAIR[0], b=PAIR[1])
    found = run(Reconstruct(*PAIR, "fashion-mnist"))
    assert not app.exception and not app.error
    drawn = [way for way in found.rebuilt if way.pictures is not None]
    assert len(app.get("image")) == 1 + len(drawn) > 3
    for way in drawn:
        assert f"MSE {way.error:.4f}" in text(app)
    assert f"with {found.rebuilt[0].error:.4f}" in text(app)


def test_classifiers_are_told_what_to_choose() -> None:
    app = open_page("reconstruction", data="fashion-mnist", a="fmnist-cnn-s0", b="fmnist-ae-s1")
    assert [
        info.value for info in app.info if "Choose two autoencoders" in info.value and "fmnist-vae-s1" in info.value
    ]


def test_data_without_autoencoders_says_so() -> None:
    app = open_page("reconstruction", data="digits")
    assert any("No autoencoder of the shelf reads 'digits'" in info.value for info in app.info)
