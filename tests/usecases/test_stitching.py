"""Zero-shot stitching on the bundled models, on data none of them has seen."""

import json
import math
from dataclasses import replace

import pytest
import torch

from relviz.cli import main
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.projections.angles import cosine
from relviz.core.stitching import METHODS, Side, stitch_all
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import anchor_rows, space_of
from relviz.models.catalogue import find
from relviz.models.shelf import shelf
from relviz.plots.stitching import plot_curve
from relviz.plots.words import find_cell
from relviz.progress import silent
from relviz.requests import Anchors, Stitch
from relviz.usecases.stitching import Spread, StitchedCell, curve_counts, groups, over_seeds, seeded
from relviz.usecases.table import run

CARDS = {name: card for name, card in shelf().items() if card.side == 28}
CLASSIFIERS = tuple(name for name, card in CARDS.items() if card.classifies)


def stitch(anchors: Anchors) -> list[StitchedCell]:
    cells: list[StitchedCell] = run(Stitch(CLASSIFIERS, "fashion-mnist", anchors))
    return cells


def side(name: str, rows: torch.Tensor) -> Side:
    data = load_dataset("fashion-mnist")
    space = space_of(find(name), load_dataset("fashion-mnist"), silent)
    return Side(name, space[data.gallery], space[data.held_out], rows, None)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("strategy", ["uniform", "class-balanced"])
@pytest.mark.parametrize("centred", [False, True])
def test_relative_stitching_keeps_nearly_all_of_native_accuracy(seed: int, strategy: str, centred: bool) -> None:
    cells = stitch(Anchors(300, strategy, seed, centred=centred))
    foreign = [c for c in cells if c.method == "relative-cosine" and c.encoder != c.head]
    ratios = [c.accuracy / c.native for c in foreign if c.accuracy is not None and c.native]
    assert len(ratios) == len(CLASSIFIERS) * (len(CLASSIFIERS) - 1)
    assert sum(ratios) / len(ratios) >= 0.97
    assert min(ratios) >= 0.90


def test_native_heads_have_the_accuracy_of_the_manifest() -> None:
    recorded = {name: card.accuracy for name, card in CARDS.items()}
    for cell in stitch(Anchors()):
        if cell.method == "absolute" and cell.encoder == cell.head:
            assert cell.native == recorded[cell.head]


@pytest.mark.parametrize("method", ["relative-cosine", "ortho"])
def test_shuffled_anchors_stitch_at_chance(method: str) -> None:
    """The mean over many shuffles must be the mean class share, 0.1, within three of its own standard errors."""
    data = load_dataset("fashion-mnist")
    rows = anchor_rows(data, Anchors(), silent)
    labels = data.label_tensor()
    head = side("fmnist-cnn-s1", rows)
    native = models_head("fmnist-cnn-s1")
    head = Side(head.name, head.gallery, head.held_out, rows, native)
    shuffles = [rows[torch.randperm(300, generator=torch.Generator().manual_seed(seed))] for seed in range(30)]
    encoders = [side("fmnist-cnn-s0", shuffled) for shuffled in shuffles]
    found = stitch_all(
        METHODS[method],
        encoders,
        head,
        gallery_labels=labels[data.gallery],
        labels=labels[data.held_out],
    )
    accuracies = torch.tensor([cell.accuracy for cell in found], dtype=torch.float64)
    error = float(accuracies.std()) / math.sqrt(len(accuracies))
    assert abs(float(accuracies.mean()) - 0.1) < 3 * error
    assert found[0].native is not None and float(accuracies.max()) < found[0].native - 0.3


def models_head(name: str):  # type: ignore[no-untyped-def]
    return find(name).head


def test_a_weakly_penalised_head_collapses_when_stitched_and_the_default_does_not() -> None:
    data = load_dataset("fashion-mnist")
    labels = data.label_tensor()
    rows = anchor_rows(data, Anchors(), silent)
    a, b = (side(name, rows) for name in ("fmnist-mlp-s0", "fmnist-vit-s1"))
    read, foreign = cosine(b.gallery, b.anchor_vectors), cosine(a.held_out, a.anchor_vectors)
    own = cosine(b.held_out, b.anchor_vectors)
    weak, strong = (fit_ridge(read, labels[data.gallery], classes=10, penalty=penalty) for penalty in (1e-5, 1.0))
    held_out = labels[data.held_out]
    assert weak.accuracy(own, held_out) > 0.85 and strong.accuracy(own, held_out) > 0.85
    assert weak.accuracy(foreign, held_out) < 0.6
    assert strong.accuracy(foreign, held_out) > 0.8


def test_unlike_widths_and_missing_heads_are_undefined_with_a_reason() -> None:
    cells: list[StitchedCell] = run(Stitch(("fmnist-cnn-s0", "fmnist-vit-s0", "fmnist-ae-s0"), "fashion-mnist"))
    reasons = {(c.encoder, c.head, c.method): c.undefined for c in cells if c.accuracy is None}
    assert "widths differ (64 and 128)" in reasons["fmnist-vit-s0", "fmnist-cnn-s0", "absolute"]
    assert "fmnist-ae-s0 has no native head" in reasons["fmnist-cnn-s0", "fmnist-ae-s0", "ortho"]
    assert ("fmnist-vit-s0", "fmnist-cnn-s0", "ortho") not in reasons
    assert ("fmnist-cnn-s0", "fmnist-ae-s0", "relative-cosine") not in reasons


def test_the_curve_goes_through_the_board() -> None:
    pair = ("fmnist-cnn-s0", "fmnist-cnn-s1")
    points = {count: run(Stitch(pair, "fashion-mnist", Anchors(count, seed=1))) for count in (2, 300)}
    both = [c for c in stitch(Anchors(300, seed=1)) if {c.encoder, c.head} <= set(pair)]
    assert points[300] == both
    few, many = (find_cell(cells, *pair, "relative-cosine") for cells in points.values())
    assert few.accuracy is not None and many.accuracy is not None
    assert few.accuracy < 0.5 < 0.85 < many.accuracy


def test_counts_of_a_curve_fit_the_gallery() -> None:
    counts = curve_counts(load_dataset("digits"))
    assert counts == sorted(counts) and counts[-1] <= load_dataset("digits").gallery_size


def cell(
    accuracy: float | None, f1: float | None = None, *, encoder: str = "a", undefined: str | None = None
) -> StitchedCell:
    native = None if accuracy is None else 0.9
    return StitchedCell(encoder, "b", "ortho", accuracy, f1, native, native, 0.5, 100, undefined)


def test_anchor_sets_are_drawn_together_as_mean_lowest_and_highest() -> None:
    boards = [[cell(0.5, 0.25), cell(0.75, encoder="c")], [cell(0.75, 0.5), cell(0.75, encoder="c")]]
    (first, second) = over_seeds(boards, "accuracy")
    assert first.stitched is not None and first.native is not None
    assert (first.stitched.mean, first.stitched.low, first.stitched.high) == (0.625, 0.5, 0.75)
    assert (first.seeds, first.chance, first.n, first.undefined) == (2, 0.5, 100, None)
    assert second.encoder == "c" and second.stitched is not None and second.stitched.low == second.stitched.high == 0.75
    (by_f1, _) = over_seeds(boards, "f1")
    assert by_f1.stitched is not None and by_f1.stitched.mean == 0.375
    assert by_f1.chance == pytest.approx(1 / 3)  # 2 s^2 / (1 + s) of one half


def test_the_band_of_a_control_goes_into_rows_and_ranges() -> None:
    one, other = (replace(cell(value, value), spread=(value - 0.25, value + 0.25)) for value in (0.25, 0.5))
    assert one.row()["spread"] == [0.0, 0.5] and cell(0.5).row()["spread"] is None
    assert (one.band("accuracy"), one.band("f1")) == ((0.0, 0.5), None)
    (found,) = over_seeds([[one], [other]], "accuracy")
    assert found.stitched == Spread(0.375, 0.0, 0.75)
    (by_f1,) = over_seeds([[one], [other]], "f1")
    assert by_f1.stitched == Spread(0.375, 0.25, 0.5)


def test_the_control_of_the_default_pair_is_no_signal() -> None:
    """One shuffle gave 0.24 beside a chance of 0.11."""
    for anchors in (Anchors(), Anchors(seed=1), Anchors(100), Anchors(50, seed=2)):
        cells = run(Stitch(("fmnist-cnn-s0", "fmnist-cnn-s1"), "fashion-mnist", anchors, ("control",), own=False))
        for found in cells:
            assert found.accuracy is not None and found.spread is not None
            assert abs(found.accuracy - 0.1) < 0.04
            assert found.spread[0] < found.accuracy < found.spread[1]


@pytest.mark.parametrize("metric", ["accuracy", "f1"])
def test_a_controls_band_is_drawn_around_its_curve(metric: str) -> None:
    pair = ("digits-cnn-s0", "digits-cnn-s1")
    boards = {n: run(Stitch(pair, "digits", Anchors(n), ("control", "ortho"), own=False)) for n in (10, 20)}
    points = {n: [found for found in cells if found.encoder == pair[0]] for n, cells in boards.items()}
    figure = plot_curve(points, method="ortho", metric=metric, title="", anchors=20, height=300)
    (band,) = (trace for trace in figure.data if trace.fill == "toself")
    lows, highs = zip(
        *(find_cell(cells, *pair, "control").band(metric) or () for cells in points.values()), strict=True
    )
    assert list(band.x) == [10, 20, 20, 10] and list(band.y) == [*lows, *reversed(highs)]
    assert band.showlegend is False


def test_the_command_tells_the_band_of_the_control(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["stitch", "digits-cnn-s0", "digits-cnn-s1", "--data", "digits", "--methods", "control", "ortho"]
    assert main([*asked, "--anchors", "40"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert "spread" in table[0].split()
    assert all((" to " in line) == (" control " in line) for line in table[1:])
    assert main([*asked, "--anchors", "40", "--json"]) == 0
    for row in json.loads(capsys.readouterr().out)["cells"]:
        assert (row["spread"] is not None) == (row["method"] == "control")


def test_a_cell_undefined_for_one_anchor_set_is_undefined_and_says_why() -> None:
    (found,) = over_seeds([[cell(0.5)], [cell(None, undefined="too few anchors")]], "accuracy")
    assert found.stitched is None and found.undefined == "too few anchors"


def test_anchor_sets_of_other_seeds_differ_and_are_those_of_their_seeds() -> None:
    sets = seeded(Anchors(30, seed=4), 3)
    assert [anchors.seed for anchors in sets] == [4, 5, 6]
    data = load_dataset("digits")
    rows = [anchor_rows(data, anchors, silent).tolist() for anchors in sets]
    assert rows[0] != rows[1] != rows[2]
    assert rows[1] == anchor_rows(data, Anchors(30, seed=5), silent).tolist()


def test_models_are_grouped_by_what_they_read_and_how_they_are_built() -> None:
    found = groups(CLASSIFIERS)
    assert list(found) == ["image, cnn", "image, mlp", "image, resnet", "image, vit"]
    assert sorted(name for names in found.values() for name in names) == sorted(CLASSIFIERS)
