"""What every loader goes through: checks, the split, labels, fingerprints, parts and pairs."""

from dataclasses import replace

import numpy as np
import pytest

from relviz.data.arranging import arranged, class_labels, split_mask
from relviz.data.catalogue import DATASETS, load_dataset
from relviz.data.dataset import OWN_SPLIT, DataSet, Graph
from relviz.data.paired import pair
from relviz.data.subset import subset
from relviz.errors import BadChoice, BadFile

FINGERPRINTS = {  # of the first release; a change would throw every cached space away
    "fashion-mnist": "65175b27f725de66fdb3014f5815f51bc3b9de8e185a19d2f2c9396e99200cfd",
    "digits": "28fb81d5af65e59ef6c403aedaf994ea28d520c1eb5e4e006b8b7ab7886b56ae",
}


def texts(n: int = 20, **facts: object) -> DataSet:
    return arranged(tuple(f"text {i}" for i in range(n)), name="t", file="t.csv", title="t", **facts)  # type: ignore[arg-type]


def test_bundled_fingerprints_are_those_of_the_first_release() -> None:
    assert {name: load_dataset(name).fingerprint for name in DATASETS} == FINGERPRINTS


def test_without_a_split_every_fifth_row_is_held_out_and_says_so() -> None:
    data = texts(10)
    assert data.samples == tuple(f"text {i}" for i in (0, 1, 2, 3, 5, 6, 7, 8, 4, 9))
    assert data.ids == ("0", "1", "2", "3", "5", "6", "7", "8", "4", "9")
    assert (data.gallery_size, data.split) == (8, "every 5th row is held out")


def test_a_source_s_split_moves_the_gallery_to_the_front_with_its_labels_and_ids() -> None:
    held_out = np.array([True, False] * 5)
    labels = class_labels([i % 2 for i in range(10)], file="f")
    data = texts(10, held_out=held_out, labels=labels, ids=[f"i{i}" for i in range(10)])
    assert data.labels is not None and data.labels.tolist() == [1] * 5 + [0] * 5
    assert data.ids[:2] == ("i1", "i3") and data.samples[5:7] == ("text 0", "text 2")
    assert data.split == OWN_SPLIT


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
        ([0, 2], ("a", "b"), "gives row 1 the label '2', but names 2 classes"),
        ([0, "b"], ("a", "b"), "gives row 1 the label 'b'"),
    ],
)
def test_labels_that_are_none_are_refused(values: list[object], names: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        class_labels(values, names=names, file="f")


def test_split_words_and_codes() -> None:
    assert split_mask(np.array([0, 1, 2, 3]), file="f").tolist() == [False, False, True, False]
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
