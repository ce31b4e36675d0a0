"""One sample's relative code, a coordinate changed, decoded again."""

import math
from typing import Any

import pytest
import torch

from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import space_of
from relviz.errors import BadChoice, UnknownName
from relviz.jobs import answers
from relviz.jobs.codec import packed, unpacked
from relviz.models.catalogue import find
from relviz.progress import silent
from relviz.requests import Change, Equalise, Reconstruct
from relviz.usecases.equaliser import Equalised
from relviz.usecases.table import run

DATA, ROW = "fashion-mnist", 3
MODELS = ["fmnist-relae-s0", "fmnist-relvae-s1"]


def equalised(model: str, *changes: Change, row: int = ROW) -> Equalised:
    found: Equalised = run(Equalise(model, DATA, row, changes))
    return found


@pytest.mark.parametrize("model", MODELS)
def test_no_change_is_the_own_reconstruction(model: str) -> None:
    found = equalised(model)
    assert found.code.equal(found.own) and found.pictures[1].equal(found.pictures[2])
    assert found.error == found.own_error
    data = load_dataset(DATA)
    assert found.own.equal(space_of(find(model), load_dataset(DATA), silent)[data.held_out][ROW])
    assert found.pictures[0].equal(data.inputs()[data.held_out][ROW, 0])
    own = run(Reconstruct(model, model, DATA, methods=())).rebuilt[0]
    assert torch.allclose(found.pictures[1], own.pictures[ROW], atol=1e-5)  # decoded in a batch of another size


@pytest.mark.parametrize("model", MODELS)
def test_a_change_is_at_its_anchor_alone_and_the_picture_follows(model: str) -> None:
    own = equalised(model)
    anchor = int(own.nearest[0])
    found = equalised(model, Change(anchor, -0.5))
    differs = (found.code != own.own).nonzero().flatten().tolist()
    assert differs == [anchor] and float(found.code[anchor]) == -0.5
    assert found.own.equal(own.own) and torch.allclose(found.pictures[1], own.pictures[1], atol=1e-6)
    assert float((found.pictures[2] - found.pictures[1]).abs().max()) > 0.02
    assert found.error == pytest.approx(float((found.pictures[2] - found.pictures[0]).square().mean()), rel=1e-5)


def test_several_changes_are_made_together() -> None:
    found = equalised(MODELS[0], Change(5, 1.0), Change(0, -1.0))
    assert (found.code != found.own).nonzero().flatten().tolist() == [0, 5]


def test_the_nearest_anchors_come_first_with_their_pictures_and_ranges() -> None:
    found = equalised(MODELS[0])
    values = found.own[found.nearest]
    assert len(values) == 8 and values.equal(found.own.sort(descending=True).values[:8])
    assert found.anchors.shape == (8, 28, 28) and 0 <= float(found.anchors.min()) < float(found.anchors.max()) <= 1
    assert bool((found.low <= found.own).all()) and bool((found.own <= found.high).all())
    # A code is layer-normalised: its mean is 0 and its variance 1.
    assert float(found.own.mean()) == pytest.approx(0, abs=1e-5)
    assert float(found.own.var(unbiased=False)) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Equalise("fmnist-ae-s0", DATA), "reads absolute coordinates, none of which is a similarity to an anchor"),
        (Equalise("fmnist-cnn-s0", DATA), "'fmnist-cnn-s0' has no decoder"),
        (Equalise(MODELS[0], DATA, 2000), "no held-out row 2000. Choose one of 0 to 1999"),
        (Equalise(MODELS[0], DATA, -1), "no held-out row -1"),
        (Equalise(MODELS[0], DATA, 0, (Change(200, 0.0),)), "no anchor 200. Choose one of 0 to 199"),
        (Equalise(MODELS[0], DATA, 0, (Change(-1, 0.0),)), "no anchor -1"),
        (Equalise(MODELS[0], DATA, 0, (Change(0, math.nan),)), "nan is no layer-normalised similarity"),
        (Equalise(MODELS[0], DATA, 0, (Change(0, 15.0),)), "Choose -14.1 to 14.1"),
        (Equalise(MODELS[0], DATA, 0, (Change(0, 1.0), Change(0, 0.5))), "changed twice"),
        (Equalise(MODELS[0], DATA, nearest=0), "0 anchors cannot be shown. Choose 1 to 200"),
        (Equalise(MODELS[0], "digits"), "reads 28 x 28 images"),
    ],
)
def test_refusals_are_one_sentence(request_: Equalise, words: str) -> None:
    with pytest.raises(BadChoice, match=words):
        run(request_)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        run(Equalise("fmnist-relae-s9", DATA))


def test_the_answer_can_be_kept_and_another_change_asks_something_else() -> None:
    found = equalised(MODELS[0])
    arrays, facts = packed(found, Equalised)
    again: Any = unpacked(facts, Equalised, arrays)
    assert again.pictures.equal(found.pictures) and again.error == found.error
    keys = {
        answers.key(Equalise(MODELS[0], DATA, 0, changes))
        for changes in ((), (Change(0, 1.0),), (Change(1, 1.0),), (Change(0, 0.5),))
    }
    assert len(keys) == 4
