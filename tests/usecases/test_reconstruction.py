"""Encode with one model, decode with another: own, as it is, translated, relative."""

from dataclasses import replace
from typing import Any

import pytest

from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, UnknownName
from relviz.jobs import answers
from relviz.jobs.codec import packed, unpacked
from relviz.models.catalogue import find
from relviz.models.shelf import shelf
from relviz.requests import Anchors, Reconstruct
from relviz.usecases.reconstruction import Reconstruction, counterparts
from relviz.usecases.table import run

AE = Reconstruct("fmnist-ae-s0", "fmnist-ae-s1", "fashion-mnist")


def answered(request: Reconstruct) -> Reconstruction:
    found: Reconstruction = run(request)
    return found


@pytest.fixture(scope="module")
def plain() -> Reconstruction:
    return answered(AE)


def test_the_own_error_is_the_manifests_and_the_pictures_have_it(plain: Reconstruction) -> None:
    own = plain.rebuilt[0]
    assert (own.method, plain.n) == ("own", 2000)
    assert own.error == pytest.approx(shelf()["fmnist-ae-s1"].reconstruction_error, rel=1e-3)
    data = load_dataset("fashion-mnist")
    assert plain.originals.equal(data.inputs()[data.held_out][:8, 0])
    assert own.pictures is not None and own.pictures.shape == (8, 28, 28)
    assert float((own.pictures - plain.originals).square().mean()) < 2 * own.error


def test_translated_vectors_are_rebuilt_and_absolute_ones_are_not(plain: Reconstruction) -> None:
    found: dict[str, Any] = {rebuilt.method: rebuilt for rebuilt in plain.rebuilt}
    assert list(found) == ["own", "absolute", "linear", "ortho", "inverse"]
    assert found["absolute"].error > 5 * found["linear"].error > 5 * found["own"].error
    for better, worse in (("own", "linear"), ("linear", "absolute")):
        assert found[better].psnr > found[worse].psnr
        assert found[better].ssim > found[worse].ssim


def test_a_model_with_itself_is_its_own() -> None:
    found = answered(replace(AE, decoder="fmnist-ae-s0", methods=("absolute",)))
    own, absolute = found.rebuilt
    assert own.error == absolute.error and own.pictures is not None and absolute.pictures is not None
    assert own.pictures.equal(absolute.pictures)


def test_other_widths_have_no_absolute_way_but_others() -> None:
    found = answered(Reconstruct("fmnist-cnn-s0", "fmnist-ae-s0", "fashion-mnist", methods=("absolute", "linear")))
    assert found.rebuilt[1].error is None and "widths differ (128 and 64)" in str(found.rebuilt[1].undefined)
    assert found.rebuilt[2].error is not None and found.rebuilt[2].error < 0.086  # the mean image's


def test_the_answer_can_be_kept(plain: Reconstruction) -> None:
    arrays, facts = packed(plain, Reconstruction)
    found = unpacked(facts, Reconstruction, arrays)
    assert found.rebuilt[1].error == plain.rebuilt[1].error and found.originals.equal(plain.originals)
    assert answers.key(AE) != answers.key(replace(AE, anchors=Anchors(seed=1)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"decoder": "fmnist-cnn-s0"}, "'fmnist-cnn-s0' has no decoder"),
        ({"methods": ("relative-cosine",)}, "does not end in the decoder's own space"),
        ({"pictures": 0}, "0 pictures"),
        ({"pictures": 2001}, "2001 pictures cannot be shown. Choose 1 to 2000."),
        ({"data": "digits"}, "reads 28 x 28 images"),
    ],
)
def test_refusals(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadChoice, match=words):
        run(replace(AE, **change))


def test_an_unknown_method_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'ortho'"):
        run(replace(AE, methods=("orto",)))


@pytest.mark.parametrize("kind", ["ae", "vae"])
@pytest.mark.parametrize("seeds", [(0, 1), (1, 0)])
def test_relative_decoders_read_foreign_encoders_and_absolute_ones_do_not(kind: str, seeds: tuple[int, int]) -> None:
    errors = {}
    for what in (kind, f"rel{kind}"):
        names = [f"fmnist-{what}-s{seed}" for seed in seeds]
        stitched = answered(Reconstruct(names[0], names[1], "fashion-mnist", methods=("absolute",))).rebuilt[1]
        errors[stitched.label] = stitched.error
    assert errors["absolute"] is not None and errors["relative"] is not None
    assert errors["absolute"] >= 5 * errors["relative"]


def test_the_mean_image_is_what_a_decoder_must_beat(plain: Reconstruction) -> None:
    data = load_dataset("fashion-mnist")
    mean = data.inputs()[data.gallery].double().mean(0)
    wanted = (data.inputs()[data.held_out].double() - mean).square().mean()
    assert plain.blind == pytest.approx(float(wanted), rel=1e-5)
    assert plain.rebuilt[0].error < plain.blind < plain.rebuilt[1].error  # type: ignore[operator] # both are defined


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_counterparts_differ_by_the_relative_layer_alone(kind: str) -> None:
    absolute, relative = ((f"fmnist-{what}-s0", f"fmnist-{what}-s1") for what in (kind, f"rel{kind}"))
    assert counterparts(*absolute) == relative and counterparts(*relative) == absolute
    assert counterparts(absolute[0], "fmnist-cnn-s0") is None and counterparts("array:x#y") is None


def test_relative_models_say_so() -> None:
    assert {name for name in shelf() if find(name).relative} == {name for name in shelf() if "-rel" in name} != set()
    assert find("fmnist-relae-s0").width == 200
