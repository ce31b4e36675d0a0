"""Whose head reads, in which order its classes come, and what is said of it."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from relviz.core.class_order import reorder
from relviz.core.heads import LinearHead
from relviz.core.heads.logistic import fit_logistic
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.heads import ChosenHead, choose_head
from relviz.encoding.spaces import space_of
from relviz.jobs import answers
from relviz.models.catalogue import find
from relviz.models.model import Model
from relviz.progress import silent
from relviz.requests import Notes, Stitch
from relviz.usecases.table import run

NAME = "digits-mlp-s0"
_TURN = count()


def digits(names: tuple[str, ...] = ()) -> DataSet:
    data = load_dataset("digits")
    return replace(data, class_names=names or data.class_names)


def chosen(data: DataSet, model: Model) -> ChosenHead:
    """Its head, chosen afresh."""
    renamed = replace(model, fingerprint=f"afresh {next(_TURN)}")
    return choose_head(renamed, data, space_of(find(NAME), load_dataset("digits"), silent)[data.gallery])


def with_order(order: tuple[int, ...], *, classes: tuple[str, ...] = ()) -> Model:
    """The bundled model, its head's scores in another order: place i is for the data's class order[i]."""
    model = find(NAME)
    assert model.head is not None
    back = tuple(int(i) for i in torch.tensor(order).argsort())
    head = reorder(model.head, back)
    return replace(model, read_head=lambda: head, classes=classes)


def accuracy(head: LinearHead | None, data: DataSet) -> float:
    assert head is not None
    return head.accuracy(
        space_of(find(NAME), load_dataset("digits"), silent)[data.held_out], data.label_tensor()[data.held_out]
    )


def test_a_head_in_the_datas_order_is_its_own_without_a_word() -> None:
    data = digits()
    found = chosen(data, find(NAME))
    assert found.words == "its own" and found.notes == ()
    assert accuracy(found.head, data) == accuracy(find(NAME).head, data) > 0.9


@pytest.mark.parametrize(
    ("names", "order", "words"),
    [
        (tuple(map(str, range(1, 11))), (0, 9, 1, 2, 3, 4, 5, 6, 7, 8), "sorted as words"),
        (tuple("aBcDeFgHiJ"), (1, 3, 5, 7, 9, 0, 2, 4, 6, 8), "sorted as words"),
        (tuple(f"c{i}" for i in (10, *range(1, 10))), (*range(1, 10), 0), "sorted by the numbers in them"),
    ],
)
def test_another_loaders_order_is_undone_and_said(names: tuple[str, ...], order: tuple[int, ...], words: str) -> None:
    data = digits(names)
    found = chosen(data, with_order(order))
    assert accuracy(found.head, data) == accuracy(find(NAME).head, data)
    (note,) = found.notes
    assert f"taken to be {words}: so it is right on" in note and "--classes" in note


def test_names_on_both_sides_permute_without_asking_the_gallery() -> None:
    data = digits(tuple("zero one two three four five six seven eight nine".split()))
    order = (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)
    found = chosen(data, with_order(order, classes=tuple(data.class_names[i].upper() for i in order)))
    assert accuracy(found.head, data) == accuracy(find(NAME).head, data) and found.notes == ()


@pytest.mark.parametrize(
    "order", [(3, 1, 4, 0, 5, 9, 2, 6, 8, 7), (9, 8, 7, 6, 5, 4, 3, 2, 1, 0), (1, 2, 0, *range(3, 10))]
)
def test_an_order_of_no_loader_is_suspected(order: tuple[int, ...]) -> None:
    data = digits()
    found = chosen(data, with_order(order))
    (note,) = found.notes
    assert "once its classes are matched to the labels" in note and found.words == "its own"


def test_a_head_at_chance_beside_a_fitted_one_that_is_not_is_suspected() -> None:
    data, model = digits(), find(NAME)
    head = LinearHead(torch.zeros(model.width, 10), torch.zeros(10))
    (note,) = chosen(data, replace(model, read_head=lambda: head)).notes
    assert "which is chance" in note and "fitted there reaches 1.000" in note


def test_what_stands_in_for_a_head_is_said() -> None:
    data, model = digits(), find(NAME)
    for headless, words in (
        (replace(model, read_head=None), "has no head of its own"),
        (replace(model, classes=tuple("abcdefghij")), "tells other classes apart than the data have"),
    ):
        found = chosen(data, headless)
        assert found.words == "fitted on the gallery" and words in found.notes[0]
        labels = data.label_tensor()[data.gallery]
        expected = fit_logistic(space_of(find(NAME), load_dataset("digits"), silent)[data.gallery], labels, classes=10)
        assert found.head is not None and found.head.weight.equal(expected.weight)
    decoder = replace(model, read_head=None, decodes=True)
    assert chosen(data, decoder) == ChosenHead(None, "none")


def test_notes_reach_the_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 500)
    hidden = rng.normal(size=(500, 5)) + 4 * np.eye(5)[labels]
    a, b = (np.tanh(hidden @ rng.normal(size=(5, 12)) / 4).astype("f4") for _ in range(2))
    np.savez(tmp_path / "v.npz", a=a, b=b, lost=b[rng.permutation(500)], y=labels)
    data, of = f"{tmp_path}/v.npz#a", f"array:{tmp_path}/v.npz#"
    fitted = [note for note in run(Notes((of + "a", of + "b"), data)) if "share no more" in note]
    assert fitted == []
    (note,) = (note for note in run(Notes((of + "a", of + "lost"), data)) if "share no more" in note)
    assert f"the rows of '{of}lost' may come in another order" in note


def test_naming_the_classes_changes_the_head_and_the_key_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    data, request = digits(tuple("abcdefghij")), Stitch((NAME,), "digits")
    unnamed = replace(with_order((3, 1, 4, 0, 5, 9, 2, 6, 8, 7)), fingerprint="the same weights")
    named = replace(unnamed, classes=tuple(data.class_names[i] for i in (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)))
    gallery = space_of(find(NAME), load_dataset("digits"), silent)[data.gallery]
    wrong, right = (choose_head(model, data, gallery).head for model in (unnamed, named))
    assert accuracy(wrong, data) < 0.5 < 0.9 < accuracy(right, data)
    keys = []
    for model in (unnamed, named):
        monkeypatch.setattr(answers, "find", lambda _name, model=model: model)
        keys.append(answers.key(request))
    assert keys[0] != keys[1]
