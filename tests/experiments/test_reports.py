"""Recipes at tiny sizes, their files, and what is said when data is not there."""

import dataclasses
import json
from importlib import import_module
from pathlib import Path

import pytest

from relviz import settings
from relviz.errors import BadChoice, BadFile, MissingData, UnknownName
from relviz.experiments import fields
from relviz.experiments.registry import EXPERIMENTS
from relviz.experiments.report import CERTAINTY, Claim, Published, Report, Told, latest, read, row, write
from relviz.experiments.reproducing import lines, reproduce, tell
from relviz.progress import silent

REPORT = Report([row("here", "accuracy", 0.5, Published(0.4, "R"))], [Claim("It works.", False, "0.5")], ["d"], ["x"])
TOLD = Told("rotation-noise", "relviz reproduce rotation-noise", "2026-01-01", "m", 1.0, False, None, REPORT)
SHIPPED = sorted((settings.ASSETS / "experiments").glob("*.json"))


def test_a_report_comes_back_from_its_file_and_carries_the_difference(tmp_path: Path) -> None:
    write(TOLD, tmp_path)
    assert read(tmp_path / "rotation-noise.json") == TOLD
    (kept,) = json.loads((tmp_path / "rotation-noise.json").read_text())["report"]["rows"]
    assert kept["difference"] == pytest.approx(0.1) and kept["certainty"] == "R"


def test_a_false_claim_is_told_as_false() -> None:
    assert lines(TOLD)[1] == "  DOES NOT HOLD: It works. (0.5)"
    assert lines(dataclasses.replace(TOLD, report=dataclasses.replace(REPORT, claims=[Claim("It works.", True, "")])))[
        1
    ].startswith("  holds:")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"report": 3}'])
def test_a_damaged_report_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(BadFile, match="is no report"):
        read(tmp_path / "r.json")


def test_ones_own_report_comes_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    write(TOLD, tmp_path / "experiments")
    assert latest("rotation-noise") == TOLD
    assert latest("nothing-of-that-name") is None


@pytest.mark.parametrize("name", ["rotation-noise", "translation-estimators", "anchor-count", "inverse-projection"])
def test_bundled_recipes_run_at_tiny_sizes(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    reproduce(name, out=str(tmp_path), quick=True, progress=silent, say=said.append)
    told = read(tmp_path / f"{name}.json")
    assert told.quick and told.missing is None and told.report is not None
    assert told.report.rows and told.report.claims and told.report.data and told.report.differences
    assert all(each.ours is not None or each.why for each in told.report.rows)
    page = (tmp_path / f"{name}.html").read_text()
    assert "plotly.min.js" in page and "https://cdn" not in page
    assert said[0].startswith(name) and len(said) == len(told.report.claims) + 2


def test_absent_data_is_said_and_nothing_is_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    monkeypatch.setattr(settings, "ASSETS", tmp_path / "clone" / "assets")
    told = tell(EXPERIMENTS["words"], quick=True, progress=silent)
    assert told.report is None
    assert told.missing is not None and "words5000.npz is not on this machine" in told.missing
    assert str(tmp_path / "embeddings" / "words5000.npz") in told.missing
    said: list[str] = []
    with pytest.raises(MissingData, match="want of data: words"):
        reproduce("words", out=str(tmp_path / "out"), quick=True, progress=silent, say=said.append)
    assert said[0].startswith("words: not done.") and read(tmp_path / "out" / "words.json").report is None


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'words'"):
        reproduce("word", out=str(tmp_path), quick=True, progress=silent, say=print)
    with pytest.raises(BadChoice, match="No experiment is named"):
        reproduce(None, out=str(tmp_path), quick=True, progress=silent, say=print)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match="cannot be written to"):
        write(TOLD, tmp_path / "file")


def test_every_experiment_has_a_shipped_report_made_in_full() -> None:
    assert {path.stem for path in SHIPPED} == set(EXPERIMENTS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_reports_are_whole(path: Path) -> None:
    told = read(path)
    assert told.name == path.stem and not told.quick and told.report is not None
    assert told.command == f"relviz reproduce {path.stem}"
    assert {each.certainty for each in told.report.rows} <= {None, *CERTAINTY}
    assert all((each.published is None) == (each.certainty is None) for each in told.report.rows)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_claims_are_those_of_the_rows(path: Path) -> None:
    told = read(path)
    assert told.report is not None
    module = import_module(f"relviz.experiments.{EXPERIMENTS[told.name].module}")
    assert module.claims(told.report.rows) == told.report.claims


def test_fields_pair_every_model_with_every_other() -> None:
    pairs = fields.digits().pairs()
    assert len(pairs) == len(set(pairs)) == 12 and all(a != b for a, b in pairs)
