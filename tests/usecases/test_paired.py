"""Retrieval over paired data sets: against an oracle, a twin, a shuffle, and the measure of one data set."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from relviz.cli import main
from relviz.data.arranging import drawn
from relviz.data.dataset import row_numbers
from relviz.errors import BadChoice, UnknownName
from relviz.requests import Anchors, Compare, PairBoard, Pairs
from relviz.usecases.paired import WAYS, Found, Retrieval
from relviz.usecases.table import run

N, WIDTH = 400, 8
EVENLY = Anchors(60, "uniform")


def rotation(seed: int, width: int = WIDTH) -> NDArray[np.float64]:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets of texts, and vectors of theirs: a space, its rotated twin, a wider one, and one with noise."""
    folder, random = tmp_path_factory.mktemp("paired"), np.random.default_rng(0)
    x = random.normal(size=(N, WIDTH)) * np.linspace(0.5, 3, WIDTH) + 1
    wide = np.pad(x, ((0, 0), (0, 4))) @ rotation(2, WIDTH + 4)
    spaces = {"x": x, "twin": x @ rotation(1), "wide": wide, "noisy": (x + random.normal(size=x.shape)) @ rotation(3)}
    np.savez(folder / "v.npz", **{name: space.astype(np.float32) for name, space in spaces.items()})
    for name in ("one", "two"):
        lines = ["text,label", *(f"{name} {i},{'ab'[int(row[0] > 1)]}" for i, row in enumerate(x))]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    (folder / "bare.csv").write_text("\n".join(["text", *(f"bare {i}" for i in range(N))]))
    (folder / "else.csv").write_text("\n".join(["text,label", *(f"else {i},{'ab'[i % 2]}" for i in range(N))]))
    return folder


def ask(files: Path, a: str, b: str, *, sets: tuple[str, str] = ("one", "two"), ways: tuple[str, ...] = WAYS, 
        anchors: Anchors = EVENLY) -> Retrieval:  # fmt: skip
    models = (f"array:{files}/v.npz#{name}" for name in (a, b))
    found: Retrieval = run(Pairs(*models, *(f"{files}/{name}.csv" for name in sets), anchors, ways))
    return found


def by_way(found: list[Found]) -> dict[str, Found]:
    return {one.way: one for one in found}


def test_ranks_are_those_of_a_plain_count(files: Path) -> None:
    with np.load(files / "v.npz") as arrays:
        x, y = (arrays[name].astype(np.float64) for name in ("x", "noisy"))
    test = drawn(row_numbers(N), (x[:, 0] > 1).astype(int))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x[test], y[test])]
    scores = unit[0] @ unit[1].T
    ranks = 1 + (scores > np.diag(scores)[:, None]).sum(1)
    found = by_way(ask(files, "x", "noisy").there)["absolute"]
    assert found.n == test.sum() == 80
    assert found.mrr == pytest.approx((1 / ranks).mean())
    assert [found.recall_1, found.recall_5, found.recall_10] == [(ranks <= k).mean() for k in (1, 5, 10)]
    assert found.chance == pytest.approx(np.mean(1 / np.arange(1, 81)))
    assert found.own == 1.0


def test_a_rotated_twin_is_found_through_anchors_and_not_without(files: Path) -> None:
    found = ask(files, "x", "twin")
    for ways in map(by_way, (found.there, found.back)):
        for way in ("relative", "ortho", "linear", "affine", "l-ortho", "linear-standard"):
            assert ways[way].mrr == ways[way].recall_1 == 1.0
            assert ways[way].accuracy == ways[way].native and ways[way].unread is None
        assert (ways["absolute"].mrr or 1) < 0.3
        assert (ways["absolute"].accuracy or 0) < (ways["absolute"].native or 0) > 0.9


def test_shuffled_anchors_find_partners_by_chance_alone(files: Path) -> None:
    """The mean over many draws must be chance, within four of its own standard errors.

    Centred, for what a sample has in common with all anchors survives their shuffling.
    """
    anchors = [Anchors(60, "uniform", seed, centred=True) for seed in range(20)]
    found = [ask(files, "x", "twin", ways=("control",), anchors=each) for each in anchors]
    values = torch.tensor([one.mrr for ways in found for one in (*ways.there, *ways.back)], dtype=torch.float64)
    error = float(values.std()) / len(values) ** 0.5
    assert abs(float(values.mean()) - found[0].there[0].chance) < 4 * error
    assert float(values.max()) < 0.3


def test_unlike_widths_are_undefined_without_anchors_alone(files: Path) -> None:
    ways = by_way(ask(files, "x", "wide").there)
    assert ways["absolute"].mrr is None and ways["absolute"].recall_1 is None
    assert "widths differ (8 and 12)" in str(ways["absolute"].undefined)
    assert "widths differ (8 and 12)" in str(ways["absolute"].unread)
    assert ways["relative"].mrr == ways["ortho"].mrr == 1.0


@pytest.mark.parametrize("centred", [False, True])
def test_a_set_paired_with_itself_gives_the_measure_of_the_pair_of_models(files: Path, centred: bool) -> None:
    models, data = [f"array:{files}/v.npz#{name}" for name in ("x", "noisy")], f"{files}/one.csv"
    anchors = Anchors(40, "uniform", 3, "l1", centred)
    compared = run(Compare(*models, data, anchors, measures=("mrr-full",)))
    ways = by_way(run(Pairs(*models, data, data, anchors, ("absolute", "relative"))).there)
    assert ways["absolute"].mrr == compared.absolute["mrr-full"].value
    assert ways["relative"].mrr == compared.relative["mrr-full"].value


def test_heads_are_read_only_where_both_sides_have_the_same_labels(files: Path) -> None:
    for sets, why in ((("one", "bare"), "no labels on both sides"), (("one", "else"), "labelled differently")):
        for one in ask(files, "x", "twin", sets=sets, ways=("relative",)).there:
            assert one.mrr == 1.0 and one.accuracy is None and why in str(one.unread)


def test_the_board_holds_the_cells_of_the_pairs(files: Path) -> None:
    models, sets = (
        [f"array:{files}/v.npz#{name}" for name in ("x", "noisy")],
        [f"{files}/{n}.csv" for n in ("one", "two")],
    )
    board = run(PairBoard(*models, tuple(sets), EVENLY, "ortho"))
    for i, a in enumerate(sets):
        for j, b in enumerate(sets):
            assert [board.cells[i][j]] == run(Pairs(*models, a, b, EVENLY, ("ortho",))).there


def test_what_cannot_be_had_is_refused_in_one_sentence(files: Path) -> None:
    with pytest.raises(UnknownName, match=r"no way called 'orth'. Did you mean 'ortho'"):
        ask(files, "x", "twin", ways=("orth",))
    with pytest.raises(BadChoice, match=r"321 anchors cannot be chosen from the 320 pairs of .* in both galleries"):
        ask(files, "x", "twin", anchors=Anchors(321, "uniform"))
    with pytest.raises(BadChoice, match="needs labels"):
        ask(files, "x", "twin", sets=("bare", "two"), anchors=Anchors(10, "class-balanced"))


def test_the_command_prints_both_directions_and_the_board(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "relviz.toml").write_text(
        "".join(f'[data.{name}]\npath = "{name}.csv"\n' for name in ("one", "two"))
        + '[models.x]\nsource = "array:v.npz#x"\n[models.twin]\nsource = "array:v.npz#twin"\n'
        + '[paired]\nboth = ["one", "two"]\n'
    )
    monkeypatch.setenv("RELVIZ_SHELF", str(files / "relviz.toml"))
    assert main(["pairs", "x", "twin", "--data", "one", "two", "--anchors", "60", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["pairs"]
    found = ask(files, "x", "twin", ways=("relative",))
    for direction, expected in ((("one", "two"), found.there[0]), (("two", "one"), found.back[0])):
        (row,) = (row for row in rows if (row["from"], row["to"], row["way"]) == (*direction, "relative"))
        assert {key: row[key] for key in vars(expected)} == vars(expected)
    assert main(["pairs", "x", "twin", "--group", "both", "--ways", "ortho", "--anchors", "60", "--json"]) == 0
    assert [(row["from"], row["to"], row["mrr"]) for row in json.loads(capsys.readouterr().out)["pairs"]] == [
        (a, b, 1.0) for a in ("one", "two") for b in ("one", "two")
    ]
    assert main(["pairs", "x", "twin", "--group", "bot"]) == 1
    assert "Did you mean 'both'?" in capsys.readouterr().err
