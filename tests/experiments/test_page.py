"""The page of the experiments, without a browser."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from relviz.experiments.registry import EXPERIMENTS
from relviz.experiments.report import Claim, Published, Report, Told, row, write

PAGE = Path(__file__).resolve().parents[2] / "pages" / "papers.py"
REPORT = Report(
    [row("here", "error", 0.2), row("there", "accuracy", 0.5, Published(0.4, "R"))],
    [Claim("It works.", False, "0.5 of 1"), Claim("It runs.", True, "1")],
    ["some data"],
    ["another network"],
)
TOLD = Told("words", "relviz reproduce words", "2026-01-01", "a machine", 12.0, False, None, REPORT)


def page(folder: Path, monkeypatch: pytest.MonkeyPatch, told: Told | None = TOLD) -> AppTest:
    monkeypatch.setenv("RELVIZ_CACHE", str(folder))
    if told is not None:
        write(told, folder / "experiments")
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.query_params["experiment"] = "words"
    return app.run()


def words_of(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def test_claims_stand_there_as_they_came_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch)
    assert not app.exception and not app.error
    said = words_of(app)
    assert "**Does not hold:** It works. (0.5 of 1)" in said and "**Holds:** It runs." in said
    assert "another network" in said and "relviz reproduce words, 2026-01-01, 12 s on a machine" in said
    rows = app.dataframe[0].value
    assert rows["where"].tolist() == ["there", "here"]  # those beside a published number first
    assert rows["difference"].tolist()[0] == pytest.approx(0.1) and rows["certainty"].tolist()[0] == "R"


def test_without_a_published_number_there_is_no_empty_column_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = dataclasses.replace(REPORT, rows=REPORT.rows[:1])
    app = page(tmp_path, monkeypatch, dataclasses.replace(TOLD, report=bare))
    assert app.dataframe[0].value.columns.tolist() == ["where", "what", "ours"]


def test_a_quick_report_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch, dataclasses.replace(TOLD, quick=True))
    assert "tiny sizes" in words_of(app)


def test_absent_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch, dataclasses.replace(TOLD, report=None, missing="The file is not there."))
    said = words_of(app)
    assert "The file is not there." in said and "relviz reproduce words" in said and not app.exception


def test_a_damaged_report_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "words.json").write_text("{")
    app = page(tmp_path, monkeypatch, None)
    assert not app.exception and "is no report" in app.error[0].value


def test_every_experiment_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch)
    for name, experiment in EXPERIMENTS.items():
        app.selectbox(key="experiment").select(name).run()
        assert not app.exception and not app.error
        assert experiment.title in words_of(app)
