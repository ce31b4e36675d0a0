"""Latent vectors times a factor: native heads and decoders."""

import math

import pytest

from relviz.errors import BadChoice
from relviz.jobs.codec import packed, unpacked
from relviz.models.shelf import shelf
from relviz.requests import SCALE_FACTORS, Reconstruct, Rescale
from relviz.usecases.reconstruction import ScaleCurve
from relviz.usecases.table import run

HEAD, DECODER = "fmnist-mlp-s0", "fmnist-ae2-s0"


@pytest.fixture(scope="module")
def curves() -> list[ScaleCurve]:
    found: list[ScaleCurve] = run(Rescale((HEAD, DECODER), "fashion-mnist"))
    return found


def test_at_factor_one_a_model_has_its_own_accuracy_or_error(curves: list[ScaleCurve]) -> None:
    head, decoder = curves
    assert (head.decodes, decoder.decodes) == (False, True)
    assert head.factors == list(SCALE_FACTORS) and len(head.values) == len(head.factors)
    at_one = SCALE_FACTORS.index(1.0)
    assert head.values[at_one] == pytest.approx(shelf()[HEAD].accuracy, abs=1e-3)
    own = run(Reconstruct(DECODER, DECODER, "fashion-mnist", methods=()))
    assert decoder.values[at_one] == own.rebuilt[0].error
    assert decoder.blind == own.blind


def test_a_head_hardly_notices_and_a_decoder_does(curves: list[ScaleCurve]) -> None:
    head, decoder = curves
    at_one = SCALE_FACTORS.index(1.0)
    assert max(abs(value - head.values[at_one]) for value in head.values) < 0.05
    assert all(value > decoder.values[at_one] for i, value in enumerate(decoder.values) if i != at_one)
    assert decoder.values[0] > 1.5 * decoder.values[at_one]
    assert head.values[at_one] > head.blind and decoder.values[at_one] < decoder.blind


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_a_bad_factor_is_one_sentence(factor: float) -> None:
    with pytest.raises(BadChoice, match=r"Vectors cannot be multiplied by .*\. Choose finite factors above 0\."):
        run(Rescale((HEAD,), "fashion-mnist", (1.0, factor)))


def test_a_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadChoice, match="reads 28 x 28 images"):
        run(Rescale((HEAD,), "digits"))


def test_the_answer_can_be_kept(curves: list[ScaleCurve]) -> None:
    arrays, facts = packed(curves, list[ScaleCurve])
    assert unpacked(facts, list[ScaleCurve], arrays) == curves
