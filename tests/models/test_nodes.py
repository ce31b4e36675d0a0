"""Layers of networks: which they are, that one run gives them all, and layer x layer comparisons."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from relviz import settings
from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.encoding import spaces
from relviz.encoding.memory import Kept
from relviz.encoding.spaces import layer_spaces
from relviz.errors import BadChoice, Cancelled
from relviz.models.axes import channel_axes
from relviz.models.catalogue import find
from relviz.models.encoder import NetworkEncoder
from relviz.models.nodes import MOST_LAYERS, layers
from relviz.progress import silent
from relviz.requests import Layers
from relviz.usecases.table import run

IMAGES = (torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)),)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(spaces, "_encoders", Kept(settings.NETWORK_BYTES, lambda encoder: encoder.nbytes))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, 3), nn.Linear(3, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(torch.relu(self.down(x)))


class Wrapped(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.unused = inner, nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def stack(depth: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), *(Block(16) for _ in range(depth)))


def found(network: nn.Module) -> dict[str, int]:
    return layers(network.eval(), IMAGES, channel_axes(network, IMAGES))


def test_a_layer_ends_before_the_next_weights_and_blocks_stay_whole() -> None:
    assert found(stack(3)) == {"2": 16, "3": 16, "4": 16, "5": 16}
    maps = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)
    )
    assert found(maps) == {"3": 4, "5": 5}


def test_wrappers_are_looked_into_and_what_does_not_run_is_no_layer() -> None:
    assert found(Wrapped(Wrapped(stack(2)))) == {f"inner.inner.{i}": 16 for i in (2, 3, 4)}


def test_of_many_layers_the_first_the_last_and_even_steps_between() -> None:
    names = list(found(stack(40)))
    assert len(names) == MOST_LAYERS and (names[0], names[-1]) == ("2", "42")
    steps = np.diff([int(name) for name in names])
    assert steps.min() >= 3 and steps.max() <= 4


def test_a_network_without_weights_or_parts_has_none() -> None:
    assert found(nn.Flatten()) == found(nn.Sequential(nn.ReLU())) == {}


@pytest.mark.parametrize("name", ["digits-cnn-s0", "digits-mlp-s0"])
def test_one_run_gives_what_each_node_gives_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = counted(monkeypatch)
    data = load_dataset("digits")
    together = layer_spaces(find(name), load_dataset("digits"), silent)
    held_out = len(data) - data.gallery_size
    assert sum(rows for rows in runs if rows > 3) == held_out and len(together) >= 3  # three find the axes
    encoder = find(name).load()
    for node, space in together.items():
        alone = torch.cat(
            [encoder.encode_nodes(data, rows, [node])[0] for rows in batches(data.gallery_size, len(data))]
        )
        assert space.shape == alone.shape and torch.allclose(space, alone, atol=1e-6)
    runs.clear()
    again = layer_spaces(find(name), load_dataset("digits"), silent)
    assert not runs and all(again[node].equal(space) for node, space in together.items())


def counted(patch: pytest.MonkeyPatch) -> list[int]:
    """Rows of every run that encodes layers."""
    runs: list[int] = []
    whole: Callable[..., list[Tensor]] = NetworkEncoder.encode_nodes

    def noted(self: NetworkEncoder, data: object, rows: slice, nodes: list[str]) -> list[Tensor]:
        hook = self.network.register_forward_hook(lambda _module, inputs, _gave: runs.append(len(inputs[0])))
        try:
            return whole(self, data, rows, nodes)
        finally:
            hook.remove()

    patch.setattr(NetworkEncoder, "encode_nodes", noted)
    return runs


def batches(start: int, stop: int) -> list[slice]:
    return [slice(i, min(i + settings.ENCODE_BATCH, stop)) for i in range(start, stop, settings.ENCODE_BATCH)]


def test_a_lost_layer_is_encoded_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = layer_spaces(find("digits-cnn-s0"), load_dataset("digits"), silent)
    lost = sorted(tmp_path.rglob("layer-*"))[0]
    lost.unlink()
    asked: list[list[str]] = []
    whole = NetworkEncoder.encode_nodes
    note = lambda self, data, rows, nodes: asked.append(list(nodes)) or whole(self, data, rows, nodes)  # noqa: E731
    monkeypatch.setattr(NetworkEncoder, "encode_nodes", note)
    after = layer_spaces(find("digits-cnn-s0"), load_dataset("digits"), silent)
    assert {len(nodes) for nodes in asked} == {1} and list(after) == list(before)
    assert all(torch.allclose(after[node], space, atol=1e-6) for node, space in before.items())


def test_a_cancelled_encoding_keeps_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    def stop(share: float, _text: str) -> None:
        raise Cancelled("nobody wants it")

    with pytest.raises(Cancelled):
        layer_spaces(find("digits-cnn-s0"), load_dataset("digits"), stop)
    assert not list(tmp_path.rglob("layer-*"))
    assert all(
        torch.isfinite(space).all()
        for space in layer_spaces(find("digits-cnn-s0"), load_dataset("digits"), silent).values()
    )


@pytest.mark.parametrize("measure", ["cka", "mutual-knn"])
def test_a_model_against_itself_has_ones_on_the_diagonal(measure: str) -> None:
    board = run(Layers(measure, "digits-cnn-s0", "digits-cnn-s0", "digits"))
    assert board.a == board.b and len(board.values) == len(board.a)
    assert [board.values[i][i].value for i in range(len(board.a))] == pytest.approx([1.0] * len(board.a), abs=1e-5)
    assert min(value.value for row in board.values for value in row) < 0.9


def test_rows_belong_to_a_and_columns_to_b() -> None:
    there = run(Layers("cka", "digits-cnn-s0", "digits-mlp-s0", "digits"))
    back = run(Layers("cka", "digits-mlp-s0", "digits-cnn-s0", "digits"))
    assert (there.a, there.b) == (back.b, back.a) and len(there.a) != len(there.b)
    values = np.array([[value.value for value in row] for row in there.values])
    np.testing.assert_allclose(values.T, [[value.value for value in row] for row in back.values], atol=1e-6)


def test_arrays_have_no_layers(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", X=np.random.default_rng(0).normal(size=(1797, 5)))
    with pytest.raises(BadChoice, match="has no layers to look into"):
        run(Layers("cka", f"array:{tmp_path / 'v.npz'}#X", "digits-mlp-s0", "digits"))


def test_the_command_line_shows_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    question = ["compare", "digits-cnn-s0", "digits-mlp-s0", "--data", "digits", "--layers"]
    assert main(question) == 0
    board = run(Layers("cka", "digits-cnn-s0", "digits-mlp-s0", "digits"))
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table[1:]] == list(board.a)
    assert table[1].split()[1:] == [f"{value.value:.4f}" for value in board.values[0]]
    assert main([*question, "--measures", "cka", "mrr"]) == 1
    assert "one measure at a time" in capsys.readouterr().err
