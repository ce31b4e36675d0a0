"""What every loader goes through: checks, the split, labels, fingerprints, parts and pairs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from relviz.data.arranging import arranged, class_labels, drawn, split_mask
from relviz.data.catalogue import DATASETS, load_dataset
from relviz.data.dataset import OWN_SPLIT, DataSet, Graph, row_numbers
from relviz.data.paired import pair
from relviz.data.subset import subset
from relviz.errors import BadChoice, BadFile
from relviz.requests import Anchors, Stitch
from relviz.usecases.table import run

FINGERPRINTS = {  # of the first release; a change would throw every cached space away
    "fashion-mnist": "65175b27f725de66fdb3014f5815f51bc3b9de8e185a19d2f2c9396e99200cfd",
    "digits": "28fb81d5af65e59ef6c403aedaf994ea28d520c1eb5e4e006b8b7ab7886b56ae",
}


def texts(n: int = 20, **facts: object) -> DataSet:
    return arranged(tuple(f"text {i}" for i in range(n)), name="t", file="t.csv", title="t", **facts)  # type: ignore[arg-type]


def test_bundled_fingerprints_are_those_of_the_first_release() -> None:
    assert {name: load_dataset(name).fingerprint for name in DATASETS} == FINGERPRINTS


def test_without_a_split_a_fifth_is_held_out_and_says_so() -> None:
    data = texts(10)
    assert data.gallery_size == 8 and sorted(map(int, data.ids)) == list(range(10))
    assert data.samples == tuple(f"text {name}" for name in data.ids)
    parts = [list(map(int, data.ids[part])) for part in (data.gallery, data.held_out)]
    assert all(rows == sorted(rows) for rows in parts) and not data.divided
    assert data.split == "a fifth of the rows is held out, drawn by their ids"
    assert data.notes == (f"'t' comes without a split: {data.split}. Give it a split of its own to choose otherwise.",)
    labelled = texts(10, labels=class_labels(["a", "b"] * 5, file="f"))
    assert labelled.split == "a fifth of each class is held out, drawn by the ids of the samples"


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(700) % 5,  # in turn, as nested loops over classes write them
        np.arange(700) // 140,  # class after class
        np.random.default_rng(0).integers(0, 5, 700),
        np.arange(700) % 25,
        np.minimum(np.arange(700) // 3, 99),  # many classes of three, and one large one
    ],
)
def test_a_fifth_of_every_class_is_held_out_in_whatever_order_they_stand(labels: NDArray[np.int64]) -> None:
    held_out = drawn(row_numbers(len(labels)), labels)
    sizes, gone = np.bincount(labels), np.bincount(labels[held_out], minlength=labels.max() + 1)
    assert held_out.sum() == len(labels) // 5
    assert (np.abs(gone - sizes / 5) < 1).all() and (gone < sizes).all()
    assert drawn(row_numbers(len(labels)), labels).tolist() == held_out.tolist()
    alone = np.where(np.arange(len(labels)) == 3, labels.max() + 1, labels)
    assert not drawn(row_numbers(len(labels)), alone)[3]


def test_the_draw_follows_the_ids_and_hardly_the_labels() -> None:
    ids, labels = np.array([f"sample {i}" for i in range(1000)]), np.arange(1000) % 4
    order = np.random.default_rng(1).permutation(1000)
    held_out = drawn(ids.tolist(), labels)
    assert (drawn(ids[order].tolist(), labels[order]) == held_out[order]).all()
    assert (drawn(ids.tolist(), None) != held_out).mean() < 0.05
    assert 0.1 < (held_out & (drawn(row_numbers(1000), labels))).mean() / 0.2 < 0.3  # other ids, another draw


@pytest.mark.parametrize(
    ("labels", "held_out", "strange"),
    [
        (["a", "b"] * 10, [False, True] * 10, "b"),
        (np.arange(20) % 5, np.arange(20) % 5 == 4, "4"),  # the fifth class of five in turn
        (["x"] * 18 + ["long name"] * 2, np.arange(20) >= 15, "long name"),
    ],
)
def test_a_held_out_class_that_the_gallery_lacks_is_refused_by_name(
    labels: list[str], held_out: list[bool], strange: str
) -> None:
    for part in ({"held_out": np.array(held_out)}, {"parts": ["test" if out else "train" for out in held_out]}):
        with pytest.raises(BadFile, match=f"t.csv holds out the class '{strange}', of which its gallery has no sample"):
            texts(labels=class_labels(labels, file="f"), **part)


def test_a_part_whose_gallery_lacks_a_class_is_refused_by_name() -> None:
    data = texts(200, labels=class_labels(np.arange(200) % 50, file="f"))
    with pytest.raises(BadChoice, match=r"The part of 't' that seed 0 draws holds out the class '\d+', of which"):
        subset(data, n=20, seed=0)


def test_a_source_s_split_moves_the_gallery_to_the_front_with_its_labels_and_ids() -> None:
    held_out = np.array([True, False] * 5)
    labels = class_labels([i // 2 % 2 for i in range(10)], file="f")
    data = texts(10, held_out=held_out, labels=labels, ids=[f"i{i}" for i in range(10)])
    assert data.labels is not None and data.labels.tolist() == [0, 1, 0, 1, 0] * 2
    assert data.ids[:2] == ("i1", "i3") and data.samples[5:7] == ("text 0", "text 2")
    assert data.split == OWN_SPLIT and data.divided and data.notes == ()


def test_a_graph_is_reordered_as_a_whole() -> None:
    features = np.eye(4, dtype=np.float32)
    edges = np.array([[0, 1], [2, 3]])
    graph = Graph(features, edges, np.array([2, 0, 2, 1], np.uint8))
    data = arranged(graph, name="g", file="g", title="g", held_out=np.array([True, False, True, False]))
    assert isinstance(data.samples, Graph) and data.modality == "graph" and data.shape == (4,)
    nodes = data.samples.features.argmax(1)
    assert nodes.tolist() == [1, 3, 0, 2] and data.samples.parts.tolist() == [0, 1, 2, 2]
    assert [sorted(nodes[edge].tolist()) for edge in data.samples.edges] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"ids": ["a"] * 20}, "has the id 'a' at row 0 and again at row 1"),
        ({"ids": ["a"]}, "20 samples and 1 ids"),
        ({"labels": (np.zeros(19, np.int64), ("a",))}, "20 samples and 19 labels"),
        ({"held_out": np.zeros(20, bool)}, "20 in the gallery and 0 held out"),
        ({"held_out": np.zeros(3, bool)}, "20 samples and 3 entries of the split"),
    ],
)
def test_facts_that_do_not_fit_are_refused(facts: dict[str, object], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        texts(**facts)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few_samples_are_refused(n: int) -> None:
    with pytest.raises(BadFile, match=f"t.csv has {n or 'no'} samples"):
        texts(n)


def test_numbers_that_are_not_finite_are_refused_by_their_row() -> None:
    vectors = np.full((20, 2), 3e38, np.float32)  # their sum is infinite, they are not
    arranged(vectors, name="v", file="v.npy", title="v")
    vectors[7, 1] = np.nan
    with pytest.raises(BadFile, match=r"v.npy has a number that is not finite at row 7"):
        arranged(vectors, name="v", file="v.npy", title="v")


@pytest.mark.parametrize(
    ("values", "names", "classes", "called"),
    [
        ([3, 1, 3], (), [1, 0, 1], ("1", "3")),
        (["10", "9"], (), [1, 0], ("9", "10")),
        (["b", 2, "a"], (), [2, 0, 1], ("2", "a", "b")),
        (np.array([1, 0], np.uint8), ("x", "y", "z"), [1, 0], ("x", "y", "z")),
        (["b", "-1", "a"], (), [2, 0, 1], ("-1", "a", "b")),
        (["-1", "none", "1"], (), [0, 2, 1], ("-1", "1", "none")),
        ([" -1 ", "n/a"], (), [0, 1], ("-1", "n/a")),
        (np.array([b"-1", b"x"]), (), [0, 1], ("-1", "x")),
        (["02", "10", "01"], (), [1, 2, 0], ("01", "02", "10")),
        (["1", "01"], (), [1, 0], ("01", "1")),
        (["01", "00"], ("x", "y"), [1, 0], ("x", "y")),
    ],
)
def test_labels(values: list[object], names: tuple[str, ...], classes: list[int], called: tuple[str, ...]) -> None:
    found, kinds = class_labels(values, names=names, file="f")
    assert found.tolist() == classes and found.dtype == np.int64 and kinds == called


@pytest.mark.parametrize(
    ("values", "names", "said"),
    [
        ([0, None], (), "f has no label at row 1"),
        ([0, float("nan")], (), "f has no label at row 1"),
        (["a", " "], (), "f has no label at row 1"),
        ([0, 2.5], (), "the label '2.5' at row 1"),
        ([0, -1], (), "the label -1 at row 1"),
        (["0", "-1"], (), "the label -1 at row 1"),
        (["a", -1], (), "the label -1 at row 1"),
        (["0", "-1"], ("x", "y"), "the label -1 at row 1"),
        ([0, 2], ("a", "b"), "gives row 1 the label '2', but names 2 classes"),
        ([0, "b"], ("a", "b"), "gives row 1 the label 'b'"),
    ],
)
def test_labels_that_are_none_are_refused(values: list[object], names: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        class_labels(values, names=names, file="f")


@pytest.mark.parametrize(
    ("values", "held_out", "validation"),
    [
        (np.array([0, 1, 2, 3]), [False, False, True, False], False),
        (["train", "val", "test"], [False, False, True], False),
        (["Training", "Testing", "Training"], [False, True, False], False),
        (["train", "validation"], [False, True], True),
        (["TRAIN", " Dev ", "none"], [False, True, False], True),
        (np.array([0, 1, 1]), [False, True, True], True),
    ],
)
def test_split_words_and_codes(values: list[str], held_out: list[bool], validation: bool) -> None:
    found, words = split_mask(values, file="f")
    assert found.tolist() == held_out and words.startswith(OWN_SPLIT)
    assert words.endswith("the validation part held out") == validation


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(BadFile, match="puts row 1 into the unknown part 'later'"):
        split_mask(["train", "later"], file="f")


def test_the_fingerprint_follows_everything() -> None:
    labels = class_labels([i % 3 for i in range(20)], file="f")
    plain = texts(labels=labels)
    assert plain.fingerprint == texts(labels=labels).fingerprint
    other = class_labels([i % 2 for i in range(20)], file="f")
    unlike = [
        texts(),
        texts(labels=other),
        texts(labels=labels, ids=[f"i{i}" for i in range(20)]),
        texts(labels=labels, held_out=np.arange(20) >= 10),
        replace(plain, samples=("text x", *plain.samples[1:])),  # type: ignore[misc]
        replace(plain, samples=("text 0text", "1", *plain.samples[2:])),  # type: ignore[misc]
    ]
    assert len({data.fingerprint for data in [plain, *unlike]}) == 1 + len(unlike)


def test_without_labels_what_needs_them_says_so() -> None:
    data = texts()
    for ask in (data.label_tensor, lambda: data.chance):
        with pytest.raises(BadChoice, match="has no labels, which stitching"):
            ask()


def test_other_samples_are_no_images_and_colour_no_grey_square() -> None:
    with pytest.raises(BadChoice, match="holds text samples, not images"):
        texts().inputs()
    colour = arranged(np.zeros((20, 8, 8, 3), np.uint8), name="c", file="c", title="c")
    assert colour.inputs().shape == (20, 3, 8, 8) and colour.shape == (8, 8, 3)
    with pytest.raises(BadChoice, match="are 8 x 8 in colour"):
        _ = colour.side


def test_a_subset_is_deterministic_named_and_drawn_from_both_parts() -> None:
    data = load_dataset("digits:n=200,seed=1")
    again = subset(load_dataset("digits"), n=200, seed=1)
    assert data.name == again.name == "digits:n=200,seed=1" and data.fingerprint == again.fingerprint
    assert (len(data), data.gallery_size) == (200, round(200 * 1297 / 1797))
    whole = load_dataset("digits")
    rows = [int(name) for name in data.ids]
    assert rows == sorted(rows) and (data.images == whole.images[rows]).all()
    assert max(rows[: data.gallery_size]) < whole.gallery_size <= min(rows[data.gallery_size :])
    assert load_dataset("digits:n=200,seed=2").fingerprint != data.fingerprint
    assert load_dataset("digits:n=200").name == "digits:n=200,seed=0"
    assert load_dataset(data.name).fingerprint == data.fingerprint


@pytest.mark.parametrize("n", [0, 3, 1798])
def test_a_subset_that_cannot_be_drawn_is_refused(n: int) -> None:
    with pytest.raises(BadChoice, match=f"{n} of the 1797 samples of 'digits'"):
        load_dataset(f"digits:n={n}")


def test_a_graph_has_no_subset() -> None:
    graph = Graph(np.eye(20, dtype=np.float32), np.zeros((0, 2), np.int64), np.zeros(20, np.uint8))
    with pytest.raises(BadChoice, match="is one graph"):
        subset(arranged(graph, name="g", file="g", title="g"), n=10, seed=0)


def test_lines_pair_by_their_number_and_named_samples_by_their_id() -> None:
    lines = pair(texts(), texts())
    assert len(lines) == 20 and lines.gallery_size == 16 and lines.unpaired == (0, 0)
    held_out = np.arange(20) >= 10
    a = texts(ids=[f"i{i}" for i in range(20)], held_out=held_out)
    b = texts(ids=[f"i{i}" for i in range(19, -1, -2)] + [f"j{i}" for i in range(10)], held_out=~held_out)
    with pytest.raises(BadChoice, match="Sample 'i1' is in the gallery of only one"):
        pair(a, b)
    b = texts(ids=[f"i{i}" for i in range(9, -1, -2)] + [f"j{i}" for i in range(5)] + [f"i{i}" for i in range(10, 20)],
              held_out=held_out)  # fmt: skip
    found = pair(a, b)
    assert [a.ids[i] for i in found.rows_a] == [b.ids[i] for i in found.rows_b]
    assert (len(found), found.gallery_size, found.unpaired) == (15, 5, (5, 5))


@pytest.mark.parametrize(
    ("b", "said"),
    [
        (texts(25), "'t' has 20 samples and 't' 25, and neither names them"),
        (texts(ids=[f"i{i}" for i in range(20)]), "share 0 ids in their galleries and 0 held out"),
    ],
)
def test_data_sets_without_a_correspondence_are_refused(b: DataSet, said: str) -> None:
    with pytest.raises(BadChoice, match=said):
        pair(texts(), b)


@pytest.mark.parametrize("order", ["in turn", "class after class", "shuffled"])
def test_every_order_of_the_same_samples_stitches_alike(order: str, tmp_path: Path) -> None:
    whole = load_dataset("digits")
    labels = whole.label_tensor().numpy()
    rows = np.stack([np.flatnonzero(labels == c)[:80] for c in range(5)], 1 if order == "in turn" else 0).ravel()
    rows = np.random.default_rng(0).permutation(rows) if order == "shuffled" else rows
    np.savez(tmp_path / "d.npz", images=whole.images[rows], y=labels[rows])
    question = Stitch(("digits-mlp-s0", "digits-mlp-s1"), str(tmp_path / "d.npz"), Anchors(50), ("relative-cosine",))
    for cell in run(question):
        assert cell.accuracy is not None and cell.accuracy > 0.9 and cell.n == 80
