from dataclasses import replace

import pytest
import torch

from relviz.core.measures import MEASURES, Pair
from relviz.core.neighbours import nearest_by_cosine
from relviz.core.projections import project
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import anchor_rows, space_of
from relviz.errors import BadChoice, UnknownName
from relviz.models.catalogue import find
from relviz.plots.words import find_cell
from relviz.progress import silent
from relviz.requests import Anchors, Explain, Readings, Stitch
from relviz.usecases import explain
from relviz.usecases.table import run

A, B = "digits-cnn-s0", "digits-mlp-s1"
ANCHORS = Anchors(50)
DATA = load_dataset("digits")
LABELS = DATA.label_tensor()[DATA.held_out]


def spaces() -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(space_of(find(name), load_dataset("digits"), silent) for name in (A, B))  # type: ignore[return-value]


@pytest.mark.parametrize("method", ["relative-cosine", "ortho"])
def test_predictions_are_those_that_the_accuracies_are_of(method: str) -> None:
    found = run(Readings(A, B, "digits", ANCHORS, method))
    cell = find_cell(run(Stitch((A, B), "digits", ANCHORS, (method,))), A, B, method)
    assert found.predictions is not None and found.undefined is None
    assert float((found.predictions.stitched == LABELS).double().mean()) == pytest.approx(cell.accuracy, abs=1e-12)
    assert float((found.predictions.native == LABELS).double().mean()) == pytest.approx(cell.native, abs=1e-12)


def test_predictions_that_are_not_to_be_had_have_a_reason_and_the_rest_stands() -> None:
    found = run(Readings(A, B, "digits", ANCHORS, "absolute"))
    assert found.predictions is None and "widths differ" in (found.undefined or "")
    assert len(found.agreement) == len(found.distance_a) == len(LABELS)


def test_data_without_labels_have_no_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "load_dataset", lambda _: replace(DATA, labels=None))
    monkeypatch.setattr(explain, "anchor_rows", lambda *_: torch.arange(20))
    found = run(Readings(A, B, "digits", ANCHORS))
    assert found.predictions is None and found.undefined == "the data set has no labels"


def test_agreement_is_each_rows_part_of_the_relative_measure() -> None:
    found = run(Readings(A, B, "digits", ANCHORS, k=7))
    rows = anchor_rows(DATA, ANCHORS, silent)
    relative = [project(space[DATA.held_out], space[rows], name="cosine") for space in spaces()]
    whole = MEASURES["neighbour-jaccard"](Pair(*relative, k=7)).value
    assert float(found.agreement.double().mean()) == pytest.approx(whole, abs=1e-6)


def test_a_sample_that_is_an_anchor_has_no_distance_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    own = spaces()[0].clone()
    rows = anchor_rows(DATA, ANCHORS, silent)
    own[DATA.gallery_size] = own[rows[3]] * 2  # the same direction
    monkeypatch.setattr(explain, "space_of", lambda *_: own)
    found = run(Readings(A, A, "digits", ANCHORS))
    unit = torch.nn.functional.normalize(own.double(), dim=1)
    expected = 1 - (unit[DATA.held_out] @ unit[rows].T).amax(1)
    assert found.distance_a[0] < 1e-6
    torch.testing.assert_close(found.distance_a.double(), expected, atol=1e-6, rtol=0)


def test_an_explanation_names_the_nearest_of_both_spaces_with_their_ranks() -> None:
    row, k = 123, 8
    found = run(Explain(A, B, "digits", ANCHORS, row, k))
    near_a, near_b = (nearest_by_cosine(space[DATA.held_out].double(), k)[0][row].tolist() for space in spaces())
    assert [one.row for one in found.kept + found.lost] == sorted(near_a, key=lambda one: one not in near_b)
    assert {one.row for one in found.kept} == set(near_a) & set(near_b)
    assert [one.row for one in found.gained] == [one for one in near_b if one not in near_a]
    for one in found.kept + found.lost:
        assert near_a[one.rank_a - 1] == one.row
        assert (one.rank_b <= k) == (one in found.kept)
    for one in found.kept + found.gained:
        assert near_b[one.rank_b - 1] == one.row
    for one in found.lost:  # its rank in the space where it is far, counted the slow way
        unit = torch.nn.functional.normalize(spaces()[1][DATA.held_out].double(), dim=1)
        like = unit @ unit[row]
        nearer = [other for other in range(len(like)) if other != row and like[other] > like[one.row]]
        assert one.rank_b == len(nearer) + 1
        assert one.similarity_b == pytest.approx(float(like[one.row]), abs=1e-12)


def test_a_profile_is_the_samples_relative_vector() -> None:
    found = run(Explain(A, B, "digits", ANCHORS, 5))
    rows = anchor_rows(DATA, ANCHORS, silent)
    assert found.anchors.equal(rows)
    for space, profile in zip(spaces(), (found.profile_a, found.profile_b), strict=True):
        expected = project(space[DATA.held_out][5:6], space[rows], name="cosine")[0]
        torch.testing.assert_close(profile, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("wrong", [{"row": -1}, {"row": 500}, {"k": 0}, {"k": 500}])
def test_what_is_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    assert len(LABELS) == 500
    with pytest.raises(BadChoice, match=r"no held-out row|no (0|500) neighbours"):
        run(replace(Explain(A, B, "digits", ANCHORS), **wrong))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UnknownName, match="relativ"):
        run(Readings(A, B, "digits", ANCHORS, "relativ"))
