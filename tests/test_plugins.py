"""Methods and sources of models that other installed packages add, in whole processes of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from relviz.jobs import answers
from relviz.plugins import GROUPS
from relviz.requests import Anchors, Compare
from tests.packages import install, page_controls, python

TOY = """
from dataclasses import replace

import torch

from relviz.core.anchors import STRATEGIES, Strategy
from relviz.core.measures import Measure
from relviz.core.projections import PROJECTIONS
from relviz.core.translations import TRANSLATIONS
from relviz.models.preprocessing import Vectors
from relviz.models.reading import Built
from relviz.types import MeasureValue


def widths(pair):
    return MeasureValue(pair.a.shape[1] / (pair.a.shape[1] + pair.b.shape[1]), None, pair.n)


def first(gallery, count, *, seed):
    return torch.arange(count)


def build(name, path):
    return Built(torch.nn.Linear(3, int(name)), Vectors(3), "toy")


WIDTHS = Measure(label="Widths", function=widths, summary="share of the widths", source="toy", low=0.0, high=1.0)
TWIN = replace(TRANSLATIONS["ortho"], label="Ortho, twin")
COSINE = replace(PROJECTIONS["cosine"], label="Cosine, twin")
FIRST = Strategy(label="First", function=first, summary="the first rows", source="toy")
"""
POINTS = {
    "relviz.measures": {"widths": "toy:WIDTHS"},
    "relviz.translations": {"twin": "toy:TWIN"},
    "relviz.projections": {"cosine-twin": "toy:COSINE"},
    "relviz.anchor_strategies": {"first": "toy:FIRST"},
    "relviz.sources": {"toy": "toy:build"},
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder, "toy", TOY, POINTS)
    return folder


def relviz(folder: Path, *arguments: str) -> Any:
    done = python(folder, "-m", "relviz.cli", *arguments, "--json")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


def test_the_toy_adds_to_every_group() -> None:
    assert set(POINTS) == set(GROUPS)


def test_the_command_line_lists_and_uses_what_a_package_adds(toy: Path) -> None:
    rows = {(row["kind"], row["name"]): row["what"] for row in relviz(toy, "methods")}
    assert rows["measures", "widths"] == "share of the widths"
    assert rows["stitching methods", "twin"].startswith(rows["translations", "twin"])
    assert ("projections", "cosine-twin") in rows and ("stitching methods", "relative-cosine-twin") in rows
    how = ("--data", "digits", "--anchors", "20", "--strategy", "first")
    pair = ("digits-mlp-s0", "digits-mlp-s1")
    found = relviz(toy, "compare", *pair, *how, "--projection", "cosine-twin", "--measures", "widths", "cka")
    assert found["measures"]["relative"]["widths"]["value"] == 0.5
    plain = relviz(toy, "compare", *pair, *how, "--measures", "cka")
    assert found["measures"]["relative"]["cka"] == plain["measures"]["relative"]["cka"]


def test_the_documentation_has_a_line_for_what_a_package_adds(toy: Path) -> None:
    done = python(toy, "-m", "relviz.cli", "methods", "--markdown")
    assert "| `widths` | share of the widths | 0 to 1 |" in done.stdout


def test_a_source_of_models_builds_models_whose_fingerprint_has_its_version(tmp_path: Path) -> None:
    code = "import torch; torch.manual_seed(0); from relviz.models.catalogue import find; m = find('toy:5'); "
    found = []
    for version in ("1.0", "1.1"):
        folder = tmp_path / version
        folder.mkdir()
        install(folder, "toy", TOY, POINTS, version)
        done = python(folder, "-c", code + "print(m.width, m.fingerprint)")
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.split())
    assert found[0][0] == found[1][0] == "5" and found[0][1] != found[1][1]


def test_pages_offer_what_a_package_adds(toy: Path) -> None:
    found = page_controls(toy, "similarity.py")
    assert "Widths" in found["measure"] and "Cosine, twin" in found["projection"] and "First" in found["strategy"]


def test_a_worker_process_measures_by_what_a_package_adds(toy: Path) -> None:
    code = """
from relviz.jobs import answers
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.requests import Anchors, Compare

broker = Broker(LocalEngine(), answers=answers)
asked = Compare("digits-mlp-s0", "digits-mlp-s1", "digits", Anchors(20), measures=("widths",))
job = broker.submit(asked, visitor="me")
assert job.finished(within=120)
print(job.answer().absolute["widths"].value)
broker.close()
"""
    done = python(toy, "-c", code)
    assert done.stdout.strip() == "0.5", done.stderr


def test_stored_answers_depend_on_the_versions_of_packages(tmp_path: Path) -> None:
    request = Compare("digits-mlp-s0", "digits-mlp-s1", "digits", Anchors(20))
    code = (
        "from relviz.jobs import answers; from relviz.requests import Anchors, Compare; "
        "print(answers.key(Compare('digits-mlp-s0', 'digits-mlp-s1', 'digits', Anchors(20))))"
    )
    keys = []
    for place, version in (("a", "1.0"), ("b", "1.0"), ("c", "1.1")):
        folder = tmp_path / place
        folder.mkdir()
        install(folder, "toy", TOY, POINTS, version)
        done = python(folder, "-c", code)
        assert done.returncode == 0, done.stderr
        keys.append(done.stdout.strip())
    assert keys[0] == keys[1] != keys[2]
    assert answers.key(request) not in keys


BROKEN = """
from dataclasses import replace

from relviz.core.measures import MEASURES, Measure
from relviz.core.projections import PROJECTIONS
from relviz.core.registry import Option
from relviz.core.translations import TRANSLATIONS

CKA = MEASURES["cka"]
SOUND = replace(CKA, label="Sound")
SAME = CKA
WORD = "a word"
NAMED = replace(CKA, label="Named")
EMPTY = replace(CKA, label="Empty", low=1.0, high=0.0)
BRACED = replace(CKA, label="At {n}")
CLAIMS = replace(CKA, label="Claims", invariances=frozenset({"everything"}))
OPTION = replace(CKA, label="Option", options=(Option("strength", 1.0, "of what"),))
TYPED = replace(CKA, label="Typed", invariances=["orthogonal"])
PLAIN = replace(PROJECTIONS["cosine"], label="Plain", function=lambda x, anchors: x)
TWIN = replace(TRANSLATIONS["ortho"], label="Twin")
FRAMELESS = replace(TRANSLATIONS["ortho"], label="Frameless", options=())
"""
REFUSED = {
    ("measures", "absent", "broken:ABSENT"): "importing broken:ABSENT ends in AttributeError",
    ("measures", "nowhere", "no_such_module:X"): "importing no_such_module:X ends in ModuleNotFoundError",
    ("measures", "quits", "quits:X"): "importing quits:X ends in SystemExit",
    ("measures", "same", "broken:SAME"): "its label is that of 'cka'",
    ("measures", "word", "broken:WORD"): "it is a str and no Measure",
    ("measures", "cka", "broken:NAMED"): "relviz has one of that name already",
    ("measures", "Two Words", "broken:NAMED"): "a name is of small letters, digits and single hyphens between them",
    ("measures", "empty", "broken:EMPTY"): "its range, 1.0 to 0.0, is empty",
    ("measures", "braced", "broken:BRACED"): "its label holds braces around something else than k",
    ("measures", "claims", "broken:CLAIMS"): "it claims to be invariant to everything, known are isotropic scale",
    ("measures", "option", "broken:OPTION"): "its function takes no strength, which its options name",
    ("measures", "typed", "broken:TYPED"): "its fields are not what Measure declares",
    ("projections", "plain", "broken:PLAIN"): "its function takes no `centred`, which every projection does",
    (
        "translations",
        "frameless",
        "broken:FRAMELESS",
    ): "it has no option `normalise` with one of none, centre, standard",
    ("translations", "inverse", "broken:TWIN"): "the word 'inverse' in a name has a meaning of its own",
    ("sources", "word", "broken:WORD"): "it is a str and no function",
}


def test_what_is_malformed_is_left_out_with_a_sentence_and_stops_nothing(tmp_path: Path) -> None:
    points: dict[str, dict[str, str]] = {"relviz.measures": {"sound": "broken:SOUND"}}
    for group, name, place in REFUSED:
        points.setdefault(f"relviz.{group}", {})[name] = place
    install(tmp_path, "broken", BROKEN, points)
    (tmp_path / "quits.py").write_text("raise SystemExit(3)")
    code = "import relviz.usecases.table, relviz.cli; from relviz.models.catalogue import SOURCES; list(SOURCES); "
    done = python(tmp_path, "-c", code + "relviz.cli.main(['methods', '--json'])")
    rows = {row["name"]: row for row in json.loads(done.stdout) if row["kind"] == "measures"}
    assert "sound" in rows and rows["cka"]["source"] == "1905.00414"
    assert not {name for group, name, _ in REFUSED if group == "measures" and name != "cka"} & set(rows)
    lines = done.stderr.splitlines()
    assert len(lines) == len(REFUSED), done.stderr  # each said once
    for (group, name, _), reason in REFUSED.items():
        begin = f"The {GROUPS[f'relviz.{group}']} '{name}' of the package broken 1.0 is left out: {reason}"
        assert any(line.startswith(begin) and line.endswith(".") for line in lines), (begin, done.stderr)
