"""The bundled models are what the manifest says, and damage is named."""

import shutil
from pathlib import Path

import pytest
import torch

from relviz import settings
from relviz.data.catalogue import load_dataset
from relviz.encoding.pieces import Pieces
from relviz.encoding.spaces import _encode, encoder_of
from relviz.errors import DamagedAsset, UnknownName
from relviz.models.architectures import Autoencoder, Classifier
from relviz.models.catalogue import find
from relviz.models.recipes import BUNDLED, RECIPES
from relviz.models.shelf import load_model, put_on_shelf, shelf
from relviz.models.training import Recipe, accuracy, reconstruction_error, train
from relviz.progress import silent
from tests.pace import seconds_of

CARDS = shelf(settings.MODELS)


def test_every_recipe_is_on_the_shelf_as_recorded() -> None:
    assert {name: card.recipe for name, card in CARDS.items()} == BUNDLED
    assert BUNDLED.items() <= RECIPES.items()


def test_architectures_seeds_and_widths() -> None:
    fashion = [card for card in CARDS.values() if card.recipe.data == "fashion-mnist"]
    classifiers = {(c.recipe.architecture, c.recipe.seed) for c in fashion if c.classifies}
    assert classifiers == {(a, s) for a in ("mlp", "cnn", "resnet", "vit") for s in (0, 1)}
    assert {c.width for c in fashion if c.classifies} == {64, 128}
    coders = [c.recipe.architecture for c in fashion if not c.classifies]
    assert sorted(coders) == ["ae", "ae", "ae2", "ae2", "relae", "relae", "relvae", "relvae", "vae", "vae"]
    assert all(c.width == 2 for c in fashion if c.recipe.architecture == "ae2")


def test_files_are_small() -> None:
    sizes = [(settings.MODELS / card.file).stat().st_size for card in CARDS.values()]
    assert max(sizes) <= 1_000_000 and sum(sizes) <= 12_000_000


@pytest.mark.parametrize("name", CARDS)
def test_the_recorded_quality_is_real_and_good_enough(name: str) -> None:
    card = CARDS[name]
    data = load_dataset(card.recipe.data)
    images, labels = data.inputs()[data.held_out], data.label_tensor()[data.held_out]
    network = load_model(card)
    if isinstance(network, Classifier):
        assert accuracy(network, images, labels) == pytest.approx(card.accuracy, abs=0.001)
        assert card.accuracy is not None and card.accuracy >= (0.86 if card.recipe.architecture == "mlp" else 0.88)
    else:
        assert isinstance(network, Autoencoder)
        assert reconstruction_error(network, images) == pytest.approx(card.reconstruction_error, rel=1e-3)
        blurred = images.mean(0, keepdim=True).expand_as(images)
        assert card.reconstruction_error is not None
        assert card.reconstruction_error < 0.5 * float((blurred - images).square().mean())


@pytest.mark.alone
@pytest.mark.parametrize(
    "name", ["fmnist-mlp-s0", "fmnist-cnn-s0", "fmnist-resnet-s0", "fmnist-vit-s0", "fmnist-vae-s0"]
)
def test_encoding_costs_little_more_than_the_bare_network(name: str) -> None:
    # Side by side and the best of rounds, since machines differ and others use them too.
    data, model = load_dataset("fashion-mnist"), find(name)
    encoder = encoder_of(model, torch.device("cpu"))
    rows = range(0, len(data), model.batch)

    def bare() -> None:
        for begin in rows:
            encoder.encode(data, slice(begin, min(begin + model.batch, len(data))))

    def encoding() -> None:
        pieces = Pieces(model.fingerprint, data.fingerprint)
        _encode(model, data, pieces, silent)
        pieces.remove()  # else a slow machine's next round would find them

    bare()
    costs = [(seconds_of(bare), seconds_of(encoding)) for _ in range(3)]
    assert min(encoded for _, encoded in costs) < 1.3 * min(alone for alone, _ in costs) + 0.2, costs


def test_an_unknown_model_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'fmnist-cnn-s0'"):
        find("fmnist-cn-s0")


@pytest.mark.parametrize("damage", ["truncated", "missing", "changed"])
def test_damaged_weights_are_named_with_the_command_that_makes_them_again(tmp_path: Path, damage: str) -> None:
    card = CARDS["digits-mlp-s0"]
    raw = (settings.MODELS / card.file).read_bytes()
    if damage != "missing":
        (tmp_path / card.file).write_bytes(raw[:1000] if damage == "truncated" else raw[:-1] + b"\x00")
    with pytest.raises(DamagedAsset, match=r"digits-mlp-s0.safetensors are .*'relviz train digits-mlp-s0'"):
        load_model(card, tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"models": [{}]}', "[]"])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DamagedAsset, match=r"manifest\.json, is missing or damaged"):
        shelf(tmp_path)


def test_training_is_reproducible_and_lands_on_the_shelf(tmp_path: Path) -> None:
    data = load_dataset("digits")
    recipe = Recipe("tiny", "mlp", 8, "digits", seed=3, epochs=1, learning_rate=1e-3, batch=64)
    images, labels = data.inputs()[data.gallery], data.label_tensor()[data.gallery]
    first, second = (train(recipe, images, labels, progress=silent) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert one.equal(other)
    shutil.copy(settings.MODELS / "manifest.json", tmp_path)
    facts = {"side": 8, "classes": 10, "accuracy": 0.5, "reconstruction_error": None}
    card = put_on_shelf(recipe, first.state_dict(), folder=tmp_path, **facts)
    assert shelf(tmp_path)["tiny"] == card and len(shelf(tmp_path)) == len(CARDS) + 1
    torch.testing.assert_close(load_model(card, tmp_path).encode(images[:5]), first.encode(images[:5]))
