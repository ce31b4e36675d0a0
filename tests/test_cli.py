"""The command line, run as a user runs it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from relviz import settings
from relviz.core.measures import MEASURES
from relviz.core.stitching import METHODS
from relviz.models.shelf import shelf
from relviz.requests import Anchors, Compare, Stitch
from relviz.usecases.table import run
from tests.pace import in_time

PAIR = ("fmnist-cnn-s0", "fmnist-cnn-s1")
SEED = ("--seed", "1")


def relviz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "relviz.cli", *arguments], capture_output=True, text=True, check=False)


def answer(*arguments: str) -> Any:
    done = relviz(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_models_and_datasets_list_the_shelf_and_the_catalogue() -> None:
    assert [row["name"] for row in answer("models")] == list(shelf())
    rows = {row["name"]: row for row in answer("datasets")}
    assert rows["fashion-mnist"]["samples"] == 10_000 and len(rows["digits"]["fingerprint"]) == 64
    assert "fmnist-cnn-s0" in relviz("models").stdout


@pytest.mark.alone
def test_compare_gives_the_numbers_of_the_pages_in_time() -> None:
    run(Compare(*PAIR, "fashion-mnist", measures=tuple(MEASURES)))  # the spaces are cached from here on
    anchors = ("--anchors", "300", "--strategy", "uniform", *SEED)
    start = time.perf_counter()
    found = answer("compare", *PAIR, "--data", "fashion-mnist", *anchors, "--measures", "all")
    assert in_time(time.perf_counter() - start, 10)
    assert (found["a"], found["b"], found["data"]) == (*PAIR, "fashion-mnist")
    assert found["anchors"] == {
        "count": 300,
        "strategy": "uniform",
        "seed": 1,
        "projection": "cosine",
        "centred": False,
        "source": "",
        "ids": [],
        "options": [],
    }
    expected = run(Compare(*PAIR, "fashion-mnist", Anchors(300, "uniform", 1), measures=tuple(MEASURES)))
    for space in ("absolute", "relative"):
        for name in MEASURES:
            value = getattr(expected, space)[name]
            wanted = {**vars(value), "value": pytest.approx(value.value, abs=1e-9)}
            assert found["measures"][space][name] == wanted


def test_stitch_gives_every_method_in_both_directions_and_with_itself() -> None:
    found = answer("stitch", *PAIR, "--data", "fashion-mnist", "--anchors", "300", "--seed", "0")
    expected = run(Stitch(PAIR, "fashion-mnist"))
    assert [(c["encoder"], c["head"], c["method"], c["accuracy"]) for c in found["cells"]] == [
        (c.encoder, c.head, c.method, c.accuracy) for c in expected
    ]
    assert len(found["cells"]) == 12 and found["notes"] == []
    assert {"encoder", "head", "method", "accuracy", "native", "chance", "n"} <= found["cells"][0].keys()


def test_every_stitching_method_runs_by_name_on_the_digits() -> None:
    found = answer(
        "stitch", "digits-cnn-s0", "digits-mlp-s0", "--data", "digits", "--anchors", "100", "--methods", "all"
    )["cells"]
    assert {row["method"] for row in found} == set(METHODS)
    for row in found:
        if row["encoder"] == row["head"] and row["method"] in ("relative-cosine", "ortho"):
            assert row["accuracy"] == row["native"]


def test_strategies_that_look_at_vectors_look_at_model_a() -> None:
    pair = ("digits-cnn-s0", "digits-mlp-s0")
    found = answer("compare", *pair, "--data", "digits", "--anchors", "40", "--strategy", "k-means")
    assert found["anchors"]["source"] == "digits-cnn-s0" and found["measures"]["relative"]["cka"]["value"] > 0


def test_methods_lists_every_registry_and_the_documentation_is_fresh() -> None:
    rows = answer("methods")
    assert {"cka", "cosine", "ortho", "uniform"} <= {row["name"] for row in rows}
    documented = Path(__file__).resolve().parents[1] / "docs" / "methods.md"
    assert relviz("methods", "--markdown").stdout == documented.read_text(), "run 'make docs'"


def test_methods_say_what_a_number_stands_on() -> None:
    """In JSON and in the documentation; a table on the terminal has no room for it."""
    details = {(row["kind"], row["name"]): row["detail"] for row in answer("methods")}
    for name, words in {
        "rsa": "Euclidean in both spaces",
        "procrustes": "Frobenius norm one, the narrower padded with zeros; the value is half",
        "mutual-knn": "the sample itself is not among",
        "neighbour-jaccard": "the sample itself is not among",
        "jaccard": "the sample itself is one of them",
        "mrr": "the sample itself included",
        "mrr-full": "the sample itself included",
        "pwcca": "counts where it is wider than rounding",
        "cka-rbf": "the lower of the two in the middle",
    }.items():
        assert words in details["measures", name], name
    documented = relviz("methods", "--markdown").stdout
    assert all(detail in documented for detail in details.values())
    assert "| procrustes |" in documented.replace("`", "").partition("## Intervals and null bands")[2]
    assert "Frobenius" not in relviz("methods").stdout


def test_draws_give_each_value_its_null_band_and_interval() -> None:
    chosen = "compare digits-cnn-s0 digits-cnn-s1 --data digits --anchors 50 --measures cka jaccard --draws 20".split()
    assert "interval" in relviz(*chosen).stdout
    found = answer(*chosen)["measures"]
    for values in found.values():
        for value in values.values():
            assert value["interval"][0] < value["value"] < value["interval"][1]
    assert found["relative"]["jaccard"]["null"][1] < found["relative"]["jaccard"]["value"]
    assert found["absolute"]["cka"]["null"][1] < found["absolute"]["cka"]["value"]


def test_undefined_values_carry_their_reason() -> None:
    found = answer("compare", "fmnist-cnn-s0", "fmnist-vit-s0")["measures"]["absolute"]
    assert found["cosine"]["value"] is None and "widths differ" in found["cosine"]["undefined"]
    assert found["cka"]["value"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compare", "fmnist-cn-s0", "fmnist-cnn-s1"), "Did you mean 'fmnist-cnn-s0'?"),
        (("stitch", *PAIR, "--data", "fashion-minst"), "Did you mean 'fashion-mnist'?"),
        (("compare", *PAIR, "--strategy", "unifrom"), "Did you mean 'uniform'?"),
        (("compare", *PAIR, "--anchors", "0"), "0 anchors are too few."),
        (("stitch", *PAIR, "--anchors", "8001"), "8000 gallery rows"),
        (("compare", *PAIR, "--k", "2000"), "k = 2000"),
        (("train", "fmnist-gnn-s0"), "no recipe called 'fmnist-gnn-s0'"),
    ],
)
def test_a_refused_input_is_one_sentence_and_status_1(arguments: tuple[str, ...], words: str) -> None:
    done = relviz(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert words in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("compare",), ("compare", *PAIR, "--anchors", "many"), ("nonsense",)])
def test_wrong_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    done = relviz(*arguments)
    assert done.returncode == 2 and "usage: relviz" in done.stderr


def test_cache_info_counts_what_clear_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    relviz("stitch", "digits-cnn-s0", "digits-mlp-s0", "--data", "digits", "--anchors", "20", "--methods", "absolute")
    found = answer("cache", "info")
    files = list((tmp_path / "relviz-results").iterdir())
    assert found["folder"] == str(tmp_path / "relviz-results") and found["off"] is None
    assert found["entries"] == len(files) and found["kinds"]["space"]["entries"] == 2
    assert 0 < found["bytes"] == sum(path.stat().st_size for path in files) < found["cap"] == settings.CACHE_BYTES
    text = relviz("cache", "info").stdout.split("\n")
    assert text[0] == f"Results are kept in {found['folder']}."
    assert text[2].split() == ["space", "2", str(found["kinds"]["space"]["bytes"])]
    assert relviz("cache", "clear").returncode == 0
    assert list((tmp_path / "relviz-results").iterdir()) == [] and answer("cache", "info")["entries"] == 0


def test_cache_info_says_when_nothing_is_kept_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "file"))
    assert relviz("cache", "info").stdout.startswith("The cache is off: ")
    assert "Not a directory" in answer("cache", "info")["off"]


def test_cache_clear_says_what_it_could_not_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "relviz-results" / "mine.safetensors" / "inside").mkdir(parents=True)
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    done = relviz("cache", "clear")
    assert done.returncode == 1 and "1 results in" in done.stderr and "could not be removed" in done.stderr
