"""Training: the networks learn, a killed training goes on as if nothing had been, nothing half done is on a shelf."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from relviz import settings
from relviz.checkpoints.resume import Resumable
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import Graph
from relviz.errors import BadChoice, UnknownName
from relviz.models.architectures import build
from relviz.models.catalogue import find
from relviz.models.shelf import load_model, shelf
from relviz.models.training import Recipe, train, train_on_graph
from relviz.progress import silent
from relviz.usecases.training import train_by, train_model

TINY = Recipe("tiny", "mlp", 8, "digits", seed=3, epochs=4, learning_rate=1e-3, batch=64, augment=True)
RELATIVE = replace(TINY, name="tiny-rel", architecture="relvae", anchors=20)


class Killed(Exception):
    """What a test's progress raises where a kill would come."""


def after(epochs: int) -> Callable[[float, str], None]:
    def progress(_share: float, text: str) -> None:
        if f"epoch {epochs} " in text:
            raise Killed

    return progress


def digits() -> tuple[Tensor, Tensor]:
    data = load_dataset("digits")
    return data.inputs()[data.gallery], data.label_tensor()[data.gallery]


def circles(tmp_path: Path) -> Path:
    """Three communities of 40 nodes, mostly joined among themselves, with features that say something of them."""
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    alike = labels[:, None] == labels[None, :]
    joined = np.triu(draw.random((120, 120)) < np.where(alike, 0.2, 0.01), 1)
    features = draw.random((120, 6)) + np.eye(6)[labels]
    sparse = {"indptr": np.arange(0, 721, 6), "indices": np.tile(np.arange(6), 120), "values": features.ravel()}
    parts = np.tile([0, 1, 2, 2], 30)
    path = tmp_path / "circles.npz"
    np.savez(path, **sparse, shape=[120, 6], edges=np.argwhere(joined), labels=labels, split=parts)
    return path


@pytest.mark.parametrize("recipe", [TINY, RELATIVE], ids=lambda recipe: recipe.architecture)
def test_a_training_killed_twice_ends_in_the_weights_of_one_that_was_not(recipe: Recipe, tmp_path: Path) -> None:
    images, labels = digits()
    whole = train(recipe, images, labels, progress=silent)
    for epochs in (1, 3):
        with pytest.raises(Killed):
            train(recipe, images, labels, progress=after(epochs), keeper=Resumable(tmp_path / "kept.safetensors", "a"))
    seen: list[str] = []
    keeper = Resumable(tmp_path / "kept.safetensors", "a")
    resumed = train(recipe, images, labels, progress=lambda _, text: seen.append(text), keeper=keeper)
    assert len(seen) == 1 and "epoch 4 of 4" in seen[0]
    for name, tensor in whole.state_dict().items():
        assert tensor.equal(resumed.state_dict()[name]), name


def test_a_graph_training_resumes_with_its_best_weights_and_its_patience(tmp_path: Path) -> None:
    data = load_dataset(str(circles(tmp_path)))
    recipe = Recipe("circles", "gcn", 8, data.name, 0, 60, 0.02, weight_decay=5e-4, dropout=0.3, patience=8)
    assert isinstance(data.samples, Graph)
    told: list[str] = []
    whole = train_on_graph(recipe, data.samples, data.label_tensor(), progress=lambda _, text: told.append(text))
    assert told[-1].endswith("stopped early") and 9 <= len(told) < 60
    for epochs in (2, len(told) - 1):
        with pytest.raises(Killed):
            keeper = Resumable(tmp_path / "kept.safetensors", "a")
            train_on_graph(recipe, data.samples, data.label_tensor(), progress=after(epochs), keeper=keeper)
    resumed = train_on_graph(recipe, data.samples, data.label_tensor(), progress=silent, keeper=keeper)
    for name, tensor in whole.state_dict().items():
        assert tensor.equal(resumed.state_dict()[name]), name


def test_a_killed_process_leaves_no_entry_and_its_successor_ends_where_an_untroubled_one_does(tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.models.test_training import TINY
from relviz.usecases.training import train_by
def progress(share, text):
    if "epoch 2 " in text and sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    print(text)
train_by(TINY, folder=Path(sys.argv[2]), progress=progress)
"""

    def run(what: str, folder: str, cache: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "RELVIZ_CACHE": str(tmp_path / cache)}
        command = [sys.executable, "-c", code, what, str(tmp_path / folder)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert run("kill", "shelf", "cache").returncode == -9
    assert not (tmp_path / "shelf").exists()
    resumed = run("go", "shelf", "cache")
    assert resumed.returncode == 0 and resumed.stdout.count("epoch") == 2, resumed.stderr
    train_by(TINY, folder=tmp_path / "other", progress=silent)
    assert shelf(tmp_path / "shelf") == shelf(tmp_path / "other")  # digests of the weights as well
    assert not list((tmp_path / "cache" / "training").iterdir())


def test_a_kept_training_of_another_run_or_a_torn_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    Resumable(path, "a").write({"x": torch.ones(3)}, {"epoch": 1})
    stored = Resumable(path, "a").read()
    assert stored is not None and stored[1] == {"epoch": 1} and stored[0]["x"].equal(torch.ones(3))
    assert Resumable(path, "b").read() is None
    path.write_bytes(path.read_bytes()[:20])
    assert Resumable(path, "a").read() is None


@pytest.mark.parametrize("architecture", ["linvae", "relae"])
def test_every_autoencoder_rebuilds_digits_better_than_their_mean(architecture: str, tmp_path: Path) -> None:
    recipe = replace(TINY, architecture=architecture, width=16, epochs=5, learning_rate=1e-2)
    recipe = replace(recipe, augment=False, anchors=50 if architecture.startswith("rel") else 0, weight_decay=0.0)
    card = train_by(recipe, folder=tmp_path, progress=silent)
    data = load_dataset("digits")
    images = data.inputs()[data.held_out]
    blurred = float((images.mean(0) - images).square().mean())
    assert card.reconstruction_error is not None and card.reconstruction_error < 0.7 * blurred
    assert load_model(card).encode(images[:3]).shape == (3, card.width)


def test_relative_coordinates_do_not_learn_through_their_anchors_and_forget_scale() -> None:
    pixels = (digits()[0][:50] * 255).round()
    images = pixels.double() / 255
    network: Any = build("relcnn", size=8, width=16, classes=10, anchors=30).double().eval()
    network.encoder.anchors.copy_(pixels[:30])
    found, last = network.encode(images), network.encoder.encoder[-1].weight
    torch.testing.assert_close(found.mean(1), torch.zeros(50).double())
    assert (found[:30].argmax(1) == torch.arange(30)).all()  # an anchor is nearest to itself
    (learned,) = torch.autograd.grad(found.square().sum(dim=1)[0] + found[:, 3].sum(), last)
    fixed = network.encoder.encoder(images[:30]).detach()
    own = torch.nn.functional.normalize(network.encoder.encoder(images)) @ torch.nn.functional.normalize(fixed).T
    again = torch.nn.functional.layer_norm(own, (30,))
    (wanted,) = torch.autograd.grad(again.square().sum(dim=1)[0] + again[:, 3].sum(), last)
    torch.testing.assert_close(learned, wanted)
    last.data.mul_(3), network.encoder.encoder[-1].bias.data.mul_(3)
    torch.testing.assert_close(network.encode(images), found)


def test_a_relative_classifier_learns_and_reads_its_own_coordinates(tmp_path: Path) -> None:
    recipe = replace(TINY, architecture="relcnn", width=16, anchors=50, epochs=4, learning_rate=5e-3, augment=False)
    card = train_by(recipe, folder=tmp_path, progress=silent)
    assert card.width == 50 and card.accuracy is not None and card.accuracy > 0.8


@pytest.mark.parametrize("architecture", ["gcn", "gcnii", "gin"])
def test_graph_networks_learn_and_stand_on_the_shelf_with_their_native_head(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELVIZ_MODELS", str(tmp_path / "models"))
    path = circles(tmp_path)
    recipe = Recipe("c", architecture, 16, str(path), 0, 80, 0.02, 5e-4, dropout=0.2, patience=40)
    card = train_by(recipe, folder=settings.models_dir(), progress=silent)
    assert card.accuracy is not None and card.accuracy > 0.7
    data, model = load_dataset(str(path)), find("c")
    assert (model.modality, model.width, model.origin) == ("graph", 16, f"trained here on {path}")
    encoder = model.load()
    latent = encoder.encode(data, slice(0, len(data)))
    torch.testing.assert_close(encoder.encode(data, slice(5, 9)), latent[5:9])
    assert model.head is not None
    held_out = model.head.accuracy(latent[data.held_out], data.label_tensor()[data.held_out])
    assert held_out == pytest.approx(card.accuracy)
    with pytest.raises(BadChoice, match="reads graphs, and 'digits' holds image samples"):
        model.check(load_dataset("digits"))


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no recipe called 'cora-gnn-s0'\. Did you mean 'cora-g"):
        train_model("cora-gnn-s0", progress=silent)
    with pytest.raises(BadChoice, match="'digits' is none"):
        train_model("cora-gcn-s0", data="digits", progress=silent)
    with pytest.raises(BadChoice, match="bundled as trained on digits"):
        train_model("digits-mlp-s0", data="fashion-mnist", progress=silent)
    with pytest.raises(BadChoice, match="holds graph samples"):
        train_model("fmnist-relcnn-s0", data=str(circles(tmp_path)), progress=silent)
    with pytest.raises(BadChoice, match="1297 training images are too few"):
        train_by(replace(RELATIVE, anchors=2000), folder=tmp_path, progress=silent)
