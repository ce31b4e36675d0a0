"""Every option is used or refused."""

import json
from pathlib import Path

import numpy as np
import pytest

import relviz
from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.requests import Explain, by_hand
from relviz.usecases.table import run

PAIR = ("digits-cnn-s0", "digits-cnn-s1")
QUICK = ("--data", "digits", "--anchors", "20")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("stitch --projection cosine", "--projection has no use here: a stitching method names its own"),
        ("stitch --projection bogus", "Name it with --methods relative-PROJECTION."),
        ("stitch --centred --methods absolute affine", "--centred has no use here: none of the methods projects"),
        ("reconstruct --projection l1", "--projection has no use here: images are rebuilt from absolute vectors"),
        ("reconstruct --centred", "--centred has no use here"),
        ("compare --projection bogus", "There is no projection called 'bogus'"),
        ("compare --layers --draws 5", "--draws has no use here: layers are compared once"),
        ("compare --layers --centred", "--centred has no use here"),
        ("compare --layers --seed 0", "--seed has no use here"),
        ("compare --layers --strategy uniform", "--strategy has no use here"),
        ("compare --measures cka --k 3", "--k has no use here: none of the measures looks at neighbours"),
        ("compare --draws -1", "-1 resamplings cannot be drawn"),
        ("pairs --ways ortho --projection l1 --data digits digits", "--projection has no use here: none of the ways"),
        ("pairs --ways linear --centred --data digits digits", "--centred has no use here: none of the ways"),
        ("pairs --projection bogus --data digits digits", "There is no projection called 'bogus'"),
        ("pairs --group g --ways ortho linear", "A group is searched by one way at a time."),
    ],
)
def test_options_that_nothing_would_use_are_refused(
    command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command.split()
    data = () if name == "pairs" else ("--data", "digits")
    assert main([name, *PAIR, *options, *data]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare --data digits --labels f.npz#y", "methods --json --markdown"])
def test_options_that_exclude_each_other_are_wrong_usage(command: str) -> None:
    name, *options = command.split()
    with pytest.raises(SystemExit) as ended:
        main([name, *(PAIR if name == "compare" else ()), *options])
    assert ended.value.code == 2


@pytest.mark.parametrize("methods", [(), ("--methods", "absolute", "relative-cosine"), ("--methods", "control")])
def test_centring_changes_what_relative_methods_give(
    methods: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for centred in ((), ("--centred",)):
        assert main(["stitch", *PAIR, *QUICK, *methods, *centred, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["cells"])
    assert found[0] != found[1]


def test_what_is_left_out_has_its_default(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", X=np.random.default_rng(0).normal(size=(500, 3)))
    name = f"{tmp_path}/v.npz#X"
    assert main(["compare", f"array:{name}", f"array:{name}", "--data", name, "--measures", "cka", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["k"] == 10 and found["anchors"] == {
        "count": 300,
        "strategy": "uniform",  # for want of labels
        "seed": 0,
        "projection": "cosine",
        "centred": False,
        "source": "",
        "ids": [],
        "options": [],
    }


def test_python_has_the_defaults_of_the_command(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(40, 6)).astype("f4")
    np.savez(tmp_path / "v.npz", X=a, a=a, b=2 * a)
    pair = [f"array:{tmp_path}/v.npz#a", f"array:{tmp_path}/v.npz#b"]
    found = relviz.compare(*pair, anchors=20)
    assert found.absolute["mutual-knn"].n == 8 and found.relative["mrr"].value == 1.0
    assert "comes without a split" in relviz.notes_on(*pair)[0]


def test_anchors_are_named_by_ids_or_by_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ids = [load_dataset("digits").ids[row] for row in (7, 3, 11, 200)]
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    pair = ["compare", "digits-cnn-s0", "digits-cnn-s1", "--data", "digits", "--json"]
    said = []
    for named in (["--anchor-ids", *ids], ["--anchor-file", str(tmp_path / "ids.txt")]):
        assert main([*pair, *named]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
    assert (said[0]["anchors"]["count"], said[0]["anchors"]["ids"]) == (4, ids)
    explained = run(Explain("digits-cnn-s0", "digits-cnn-s1", "digits", by_hand(ids)))
    assert explained.anchors.tolist() == [7, 3, 11, 200]


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (["--anchor-ids", "no-such"], "The gallery has no sample 'no-such'"),
        (["--anchor-file", "no-such.txt"], "The file 'no-such.txt' cannot be read as text"),
        (["--anchor-ids", "1", "--seed", "3"], "--seed has no use here: the anchors are chosen by hand"),
    ],
)
def test_anchors_that_cannot_be_named_are_refused(
    capsys: pytest.CaptureFixture[str], named: list[str], sentence: str
) -> None:
    assert main(["stitch", "digits-cnn-s0", "digits-cnn-s1", "--data", "digits", *named]) == 1
    assert sentence in capsys.readouterr().err
