"""Diagnosing anchors: the use case against the core and other use cases, and the command."""

import json

import pytest

from relviz.cli import main
from relviz.core.anchors.diagnostics import condition_number, coverage, effective_rank, redundancy
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import fitting_model, space_of
from relviz.progress import silent
from relviz.requests import Anchors, Compare, Explain, by_hand
from relviz.usecases.anchors import DiagnoseAnchors
from relviz.usecases.table import run

A, B = "digits-cnn-s0", "digits-mlp-s1"
ASKED = ["anchors", A, B, "--data", "digits", "--anchors", "20"]


def test_numbers_are_those_of_the_core_in_either_space() -> None:
    found = run(DiagnoseAnchors(A, B, "digits", Anchors(20)))
    data = load_dataset("digits")
    rows = run(Explain(A, B, "digits", Anchors(20))).anchors
    assert found.ids == [data.ids[row] for row in rows]
    for name, told in zip((A, B), found.spaces, strict=True):
        space = space_of(fitting_model(name, data), data, silent)
        anchors = space[data.gallery][rows]
        assert (told.model, told.width) == (name, space.shape[1])
        assert told.coverage == pytest.approx(coverage(space[data.held_out], anchors).mean)
        assert told.effective_rank.value == pytest.approx(effective_rank(anchors).value)
        assert told.condition_number.value == pytest.approx(condition_number(anchors).value)
        assert told.redundancy.value == pytest.approx(redundancy(anchors).value)


def test_influence_is_what_switching_an_anchor_off_takes_from_the_similarity() -> None:
    found = run(DiagnoseAnchors(A, B, "digits", Anchors(20)))
    whole = run(Compare(A, B, "digits", Anchors(20), measures=("cka",))).relative["cka"].value
    assert found.similarity.value == pytest.approx(whole, abs=1e-6)
    for place in (0, 7, 19):
        rest = by_hand(name for other, name in enumerate(found.ids) if other != place)
        without = run(Compare(A, B, "digits", rest, measures=("cka",))).relative["cka"].value
        assert found.influence[place].value == pytest.approx(whole - without, abs=1e-6)
    assert max(abs(value.value) for value in found.influence) > 1e-4


def test_one_space_has_its_numbers_and_no_influence() -> None:
    found = run(DiagnoseAnchors(A, "", "digits", Anchors(20)))
    assert [space.model for space in found.spaces] == [A]
    assert found.similarity is None and found.influence == []


def test_the_command_gives_the_numbers_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    expected = run(DiagnoseAnchors(A, B, "digits", Anchors(20)))
    assert main([*ASKED, "--without", *expected.ids[:3], "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    after = run(DiagnoseAnchors(A, B, "digits", by_hand(expected.ids[3:])))
    for name, found in (("all", expected), ("without", after)):
        assert said[name]["ids"] == found.ids
        assert said[name]["similarity"]["value"] == found.similarity.value
        assert [space["coverage"] for space in said[name]["spaces"]] == [space.coverage for space in found.spaces]
    assert said["all"]["similarity"] != said["without"]["similarity"]


def test_the_command_prints_spaces_and_the_anchors_that_matter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED) == 0
    spaces, anchors = capsys.readouterr().out.split("\n\n")
    assert A in spaces and B in spaces
    found = run(DiagnoseAnchors(A, B, "digits", Anchors(20)))
    best = max(zip(found.influence, found.ids, strict=True), key=lambda pair: pair[0].value)
    assert anchors.splitlines()[1].split() == [best[1], f"{best[0].value:+.2e}"]


def test_a_model_named_twice_is_one_space(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anchors", A, A, "--data", "digits", "--anchors", "20"]) == 0
    out = capsys.readouterr().out
    assert out.count(A) == 1 and "influence" not in out and "similarity" not in out


def test_what_is_no_anchor_cannot_be_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--without", "no-such"]) == 1
    assert "The sample 'no-such' is no anchor" in capsys.readouterr().err
    ids = load_dataset("digits").ids[:1]
    assert main(["anchors", A, B, "--data", "digits", "--anchor-ids", *ids, "--without", *ids]) == 1
    assert "No anchor is left" in capsys.readouterr().err
