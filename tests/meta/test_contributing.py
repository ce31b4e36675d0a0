"""The worked example of CONTRIBUTING.md, taken from it, is a package that works."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.packages import ROOT, install, page_controls, python

NAME = "distance-correlation"
CODE, METADATA = (
    re.findall(rf"^```{kind}\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    for kind in ("python", "toml")
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the example is installed as its own metadata say."""
    (code,), (metadata,) = CODE, METADATA
    project, folder = tomllib.loads(metadata)["project"], tmp_path_factory.mktemp("site")
    install(folder, project["name"].replace("-", "_"), code, project["entry-points"], project["version"])
    return folder


def test_its_own_example_holds(site: Path) -> None:
    done = python(site, "-m", "doctest", "distance_correlation.py")
    assert done.returncode == 0, done.stdout
    assert ">>> " in CODE[0]


def test_the_command_line_lists_and_computes_it(site: Path) -> None:
    done = python(site, "-m", "relviz.cli", "methods", "--json")
    assert done.stderr == ""
    (row,) = (row for row in json.loads(done.stdout) if row["name"] == NAME)
    assert row["kind"] == "measures" and row["range"] == "0 to 1"
    pair = ("digits-mlp-s0", "digits-mlp-s1", "--data", "digits", "--anchors", "50")
    done = python(site, "-m", "relviz.cli", "compare", *pair, "--measures", NAME, "--json")
    found = json.loads(done.stdout)["measures"]
    assert 0.2 < found["absolute"][NAME]["value"] < 1 and 0.2 < found["relative"][NAME]["value"] < 1


def test_a_request_may_name_it_and_a_misspelt_one_is_told_of_it(site: Path) -> None:
    code = """
from relviz.errors import UnknownName
from relviz.requests import Anchors, Similarity
from relviz.usecases.table import run
try:
    run(Similarity("distance-corelation", "digits", Anchors(50)))
except UnknownName as error:
    print(error)
"""
    done = python(site, "-c", code)
    assert f"Did you mean '{NAME}'?" in done.stdout, done.stderr


def test_the_page_offers_it(site: Path) -> None:
    assert "Distance correlation" in page_controls(site, "similarity.py")["measure"]


def test_it_keeps_the_laws(site: Path) -> None:
    done = python(site, "-m", "relviz.cli", "check-method", NAME)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("passed  measure: ") == 8
