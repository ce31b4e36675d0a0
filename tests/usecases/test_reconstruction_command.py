"""`relviz reconstruct`: the errors of every way, and a grid of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relviz.cli import main
from relviz.plots.pictures import side_by_side
from relviz.requests import Anchors, Reconstruct
from relviz.usecases.table import run

PAIR = ("fmnist-ae2-s0", "fmnist-ae2-s1")
COMMAND = ["reconstruct", *PAIR, "--data", "fashion-mnist", "--anchors", "100", "--methods", "absolute", "ortho"]


def test_the_errors_are_those_of_the_use_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["ways"]
    found = run(Reconstruct(*PAIR, "fashion-mnist", Anchors(100), ("absolute", "ortho")))
    assert [row["method"] for row in rows] == ["own", "absolute", "ortho"]
    for row, way in zip(rows, found.rebuilt, strict=True):
        assert (row["error"], row["psnr"], row["ssim"], row["n"]) == (way.error, way.psnr, way.ssim, 2000)
    assert main(COMMAND) == 0
    assert f"{found.rebuilt[2].error:.4f}" in capsys.readouterr().out


def test_the_grid_has_a_row_for_each_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "grid.png"
    assert main([*COMMAND, "--out", str(path)]) == 0
    assert "own" in capsys.readouterr().out
    with Image.open(path) as image:
        pixels = np.asarray(image)
    found = run(Reconstruct(*PAIR, "fashion-mnist", Anchors(100), ("absolute", "ortho")))
    rows = [found.originals, *(way.pictures for way in found.rebuilt if way.pictures is not None)]
    step, left = 3 * 28 + 4, pixels.shape[1] - 8 * 28 * 3
    assert len(rows) == 4 and pixels.shape[0] == 4 * step - 4
    for place, pictures in enumerate(rows):
        strip = pixels[place * step : place * step + 3 * 28 : 3, left::3]
        assert np.array_equal(strip, side_by_side(pictures))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconstruct", "fmnist-ae-s0", "fmnist-cnn-s0"], "'fmnist-cnn-s0' has no decoder"),
        (["reconstruct", *PAIR, "--methods", "relative-cosine"], "does not end in the decoder's own space"),
        ([*COMMAND, "--out", "/nowhere/grid.png"], "/nowhere/grid.png cannot be written"),
    ],
)
def test_refusals_are_one_sentence(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert words in told.err and told.err.startswith("relviz: ") and told.err.count("\n") == 1
