"""`relviz reproduce` as a user calls it."""

from pathlib import Path

import pytest

from relviz import settings
from relviz.cli import main
from relviz.experiments.registry import EXPERIMENTS
from relviz.experiments.report import read


def test_the_list_names_every_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(EXPERIMENTS)


def test_a_recipe_writes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "rotation-noise", "--quick", "--out", str(tmp_path)]) == 0
    assert "rotation-noise: " in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"rotation-noise.json", "rotation-noise.html", "plotly.min.js"}


def test_without_its_data_the_exit_status_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    monkeypatch.setattr(settings, "ASSETS", tmp_path / "clone" / "assets")
    assert main(["reproduce", "text-stitching", "--quick", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "text-stitching: not done." in told.out and "want of data: text-stitching" in told.err
    assert read(tmp_path / "text-stitching.json").missing


@pytest.mark.parametrize("arguments", [["reproduce"], ["reproduce", "rotation"]])
def test_no_name_or_a_wrong_one_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("relviz: ")
