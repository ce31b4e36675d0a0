"""The board is complete for every method, and its numbers are what they must be: bundled models, CIFAR's ResNets."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relviz.cli import main
from relviz.core.heads import LinearHead
from relviz.core.stitching import METHODS, Side, Stitched, stitch_all
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import anchor_rows, encoder_of
from relviz.models.catalogue import find
from relviz.models.shelf import shelf
from relviz.plots.words import find_cell
from relviz.progress import silent
from relviz.requests import Anchors, Readings, Stitch
from relviz.usecases.explain import what_breaks
from relviz.usecases.stitching import StitchedCell, side_of
from relviz.usecases.table import run

DIGITS = ("digits-cnn-s0", "digits-cnn-s1", "digits-mlp-s0", "digits-mlp-s1")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RESNETS = {"resnet20": "resnet20-12fca82f.th", "resnet56": "resnet56-4bfd9763.th"}


@pytest.fixture(scope="module")
def board() -> list[StitchedCell]:
    cells: list[StitchedCell] = run(Stitch(DIGITS, "digits", Anchors(100), tuple(METHODS)))
    return cells


def of_digits(name: str = "digits-cnn-s0", count: int = 100) -> Side:
    data = load_dataset("digits")
    return side_of(find(name), data, anchor_rows(data, Anchors(count), silent), silent)


def read(method: str, encoder: Side, head: Side) -> Stitched:
    data = load_dataset("digits")
    gallery, held_out = (data.label_tensor()[rows] for rows in (data.gallery, data.held_out))
    (found,) = stitch_all(METHODS[method], [encoder], head, gallery_labels=gallery, labels=held_out)
    return found


def test_every_method_has_a_number_or_a_reason_in_every_cell(board: list[StitchedCell]) -> None:
    assert {(c.encoder, c.head, c.method) for c in board} == {
        (a, b, m) for a in DIGITS for b in DIGITS for m in METHODS
    }
    assert len(board) == len(DIGITS) ** 2 * len(METHODS)
    undefined = [c for c in board if c.accuracy is None]
    assert all(c.undefined for c in undefined)
    # Vectors of another width are the one thing that a method cannot read.
    unlike = {(a, b) for a in DIGITS for b in DIGITS if find(a).width != find(b).width}
    assert (
        unlike and {(c.encoder, c.head) for c in undefined} == unlike and {c.method for c in undefined} == {"absolute"}
    )
    for c in board:
        assert c.native is not None and c.native_f1 is not None and 0 <= c.native <= 1
        assert (c.accuracy is None) == (c.f1 is None) == (c.undefined is not None)


def test_native_is_the_models_own_accuracy(board: list[StitchedCell]) -> None:
    cells = [c for c in board if METHODS[c.method].family in ("absolute", "translation", "inverse")]
    assert len({c.method for c in cells}) == 14
    assert all(c.native == shelf()[c.head].accuracy for c in cells)


@pytest.mark.parametrize("method", [name for name, entry in METHODS.items() if entry.exact])
def test_a_bundled_model_with_itself_gives_native_for_every_exact_method(method: str) -> None:
    side = of_digits()
    found = read(method, side, side)
    assert found.accuracy == found.native is not None


def rotated(side: Side, seed: int) -> Side:
    """A twin that differs by a rotation of its space; its own head reads it as well as before."""
    g = torch.Generator().manual_seed(seed)
    width, head = side.gallery.shape[1], side.native_head
    q, r = torch.linalg.qr(torch.randn(width, width, generator=g, dtype=torch.float64))
    turn = q * r.diagonal().sign()  # else some rotations would be likelier than others
    assert head is not None
    gallery, held_out = ((x.double() @ turn).float() for x in (side.gallery, side.held_out))
    return Side("twin", gallery, held_out, side.anchors, LinearHead(turn.T @ head.weight.double(), head.bias.double()))


def test_a_rotated_twin_gives_chance_for_absolute() -> None:
    """The mean over many rotations is the mean class share, 0.1, within three of its own standard errors."""
    side = of_digits()
    found = torch.tensor([read("absolute", side, rotated(side, seed)).accuracy for seed in range(60)])
    assert abs(float(found.mean()) - 0.1) < 3 * float(found.std()) / math.sqrt(len(found))
    assert float(found.max()) < 0.6


@pytest.mark.parametrize(
    "method",
    ["relative-cosine", "relative-angular", "relative-euclidean", "relative-inner", "ortho", "ortho-rigid", "l-ortho"],
)
def test_a_rotated_twin_gives_native_for_relative_and_ortho(method: str) -> None:
    side = of_digits()
    found = read(method, side, rotated(side, 0))
    assert found.accuracy is not None and found.native is not None
    assert abs(found.accuracy - found.native) <= 1 / 500  # rounding may move one sample


@pytest.mark.parametrize("method", ["relative-cosine", "ortho"])
def test_shuffled_anchors_give_chance(method: str) -> None:
    a, b = of_digits("digits-cnn-s0"), of_digits("digits-cnn-s1")
    orders = (torch.randperm(100, generator=torch.Generator().manual_seed(seed)) for seed in range(60))
    found = torch.tensor([read(method, replace(a, anchors=a.anchors[order]), b).accuracy for order in orders])
    assert abs(float(found.mean()) - 0.1) < 3 * float(found.std()) / math.sqrt(len(found))
    kept = read(method, a, b)
    assert kept.accuracy is not None and float(found.max()) < kept.accuracy - 0.3


def test_what_breaks_is_counted_as_the_board_counts(board: list[StitchedCell]) -> None:
    data, pair = load_dataset("digits"), ("digits-mlp-s0", "digits-cnn-s1")
    predictions = run(Readings(*pair, "digits", Anchors(100), "l-ortho")).predictions
    found = what_breaks(data, predictions)
    (cell,) = (c for c in board if (c.encoder, c.head, c.method) == (*pair, "l-ortho"))
    assert (found.right + found.mended.sum()) / cell.n == cell.accuracy
    assert (found.right + found.broken.sum()) / cell.n == cell.native
    labels = data.labels[data.held_out]  # type: ignore[index]
    right = [getattr(predictions, kind).numpy() == labels for kind in ("native", "stitched")]
    assert np.array_equal(found.broken, right[0] & ~right[1]) and np.array_equal(found.mended, right[1] & ~right[0])
    for one in found.pairs:
        of, taken = (data.class_names.index(name) for name in (one.of, one.taken_for))
        counts = [
            int(((getattr(predictions, kind).numpy() == taken) & (labels == of)).sum())
            for kind in ("stitched", "native")
        ]
        assert [one.stitched, one.natively] == counts and one.stitched > 0
    assert 0 <= found.native_reliability.error < 0.1
    assert sum(found.stitched_reliability.counts.tolist()) == cell.n


def test_the_command_gives_the_means_and_ranges_of_several_anchor_sets(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["stitch", *DIGITS[1:3], "--data", "digits", "--anchors", "20"]
    assert main([*asked, "--seed", "4", "--seeds", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["cells"]
    boards = [run(Stitch(DIGITS[1:3], "digits", Anchors(20, seed=seed))) for seed in (4, 5, 6)]
    for row in found:
        values = [find_cell(cells, row["encoder"], row["head"], row["method"]).accuracy for cells in boards]
        if row["stitched"] is None:
            assert values == [None] * 3 and row["undefined"]
            continue
        assert row["stitched"] == pytest.approx(sum(values) / 3)
        assert [row["stitched_lowest"], row["stitched_highest"], row["seeds"]] == [min(values), max(values), 3]
    assert len(found) == len(boards[0])
    assert main([*asked, "--seeds", "0"]) == 1
    assert "0 anchor sets cannot be drawn" in capsys.readouterr().err


@pytest.fixture
def resnets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A shelf with the two ResNets; the name of their data."""
    folder = SHARED / "cifar10_resnets"
    lines = [
        f'[models.{name}]\nbuilder = "examples.cifar_resnet:{name}"\ncheckpoint = "{folder / file}"\n'
        "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
        for name, file in RESNETS.items()
    ]
    (tmp_path / "relviz.toml").write_text("\n".join(lines))
    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "relviz.toml"))
    yield str(SHARED / "cifar10_lossless.npz")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the shared data is not at {SHARED}")
def test_the_board_of_two_resnets_is_complete_and_native_is_their_own_accuracy(resnets: str) -> None:
    names, data = tuple(RESNETS), load_dataset(resnets)
    cells: list[StitchedCell] = run(Stitch(names, resnets, Anchors(100), tuple(METHODS)))
    assert len(cells) == 4 * len(METHODS) and all(c.accuracy is not None for c in cells)
    labels = data.label_tensor()
    for name in names:
        network = encoder_of(find(name), torch.device("cpu")).network  # type: ignore[attr-defined]
        rows = slice(data.gallery_size, len(data))
        inputs = find(name).load().reads.inputs(data, rows)  # type: ignore[attr-defined]
        with torch.inference_mode():
            own = torch.cat([network(part).argmax(1) for part in inputs[0].split(250)])
        accuracy = float((own == labels[rows]).double().mean())
        natives = {c.native for c in cells if c.head == name and c.method in ("absolute", "ortho", "affine", "inverse")}
        assert all(abs(native - accuracy) < 1.5e-3 for native in natives) and accuracy > 0.9
    at = {(c.encoder, c.head, c.method): c.accuracy for c in cells}
    for there, back in (names, names[::-1]):
        assert at[there, back, "absolute"] < 0.3 < 0.85 < at[there, back, "relative-cosine"]  # type: ignore[operator]
        assert at[there, back, "ortho"] > 0.85 > 0.4 > at[there, back, "control"]  # type: ignore[operator]
