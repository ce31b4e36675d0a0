"""Arrays in npz, npy and safetensors: images, texts, vectors, graphs; every way of being broken."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from relviz import settings
from relviz.data.arranging import drawn
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import Graph
from relviz.errors import BadFile, UnknownName

VECTORS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
IMAGES = np.arange(20 * 4 * 4 * 3, dtype=np.uint16).astype(np.uint8).reshape(20, 4, 4, 3)
LABELS = np.arange(20, dtype=np.uint8) % 4
IDS = tuple(f"i{i}" for i in range(20))


def saved(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "a.npz", **arrays)
    return str(folder / "a.npz")


def test_images_in_two_parts_as_the_shared_cifar_has_them(tmp_path: Path) -> None:
    names = np.array(["a", "b", "c", "d"])
    parts = {"X_train": IMAGES[:12], "X_test": IMAGES[12:], "y_train": LABELS[:12], "y_test": LABELS[12:]}
    data = load_dataset(saved(tmp_path, **parts, classes=names))
    assert data.modality == "image" and data.gallery_size == 12 and (data.images == IMAGES).all()
    assert data.class_names == tuple(names) and data.labels is not None and (data.labels == LABELS).all()


def test_grey_images_with_one_channel_lose_it(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path, images=IMAGES[..., :1], labels=LABELS))
    assert data.shape == (4, 4) and data.side == 4


def test_one_of_several_arrays_by_its_name(tmp_path: Path) -> None:
    words = np.array([f"w{i}" for i in range(20)])
    name = saved(tmp_path, words=words, glove=VECTORS, other=VECTORS.astype(np.float16))
    data = load_dataset(f"{name}#glove")
    assert (
        data.ids[-4:] == tuple(words[drawn(words.tolist(), None)]) and data.labels is None and data.modality == "vector"
    )
    assert load_dataset(f"{name}#other").fingerprint != data.fingerprint
    assert load_dataset(f"{name}#key=words").samples == data.ids
    with pytest.raises(BadFile, match=r"several arrays or none of samples: words, glove, other.*a.npz#NAME"):
        load_dataset(name)
    with pytest.raises(UnknownName, match=r"called 'glov'. Did you mean 'glove'"):
        load_dataset(f"{name}#glov")


def test_npy_takes_its_labels_and_ids_from_the_same_folder(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VECTORS)
    np.save(tmp_path / "l.npy", LABELS)
    np.save(tmp_path / "i.npy", np.array(IDS))
    data = load_dataset(f"{tmp_path / 'v.npy'}#labels=l.npy&ids=i.npy")
    held_out = drawn(IDS, LABELS.astype(int))
    assert data.ids[-4:] == tuple(np.array(IDS)[held_out]) and data.labels is not None
    assert data.labels[-4:].tolist() == LABELS[held_out].tolist() and sorted(data.labels[-4:]) == [0, 1, 2, 3]
    np.save(tmp_path / "l.npy", LABELS[:-1])
    with pytest.raises(BadFile, match=r"20 samples, but l.npy is 19"):
        load_dataset(f"{tmp_path / 'v.npy'}#labels=l.npy")


def test_safetensors_with_half_precision(tmp_path: Path) -> None:
    tensors = {"X": torch.from_numpy(VECTORS).bfloat16(), "y": torch.from_numpy(LABELS)}
    save_file(tensors, tmp_path / "v.safetensors")
    data = load_dataset(str(tmp_path / "v.safetensors"))
    assert isinstance(data.samples, np.ndarray) and data.samples.dtype == np.float32 and len(data.class_names) == 4
    raw = (tmp_path / "v.safetensors").read_bytes()
    (tmp_path / "v.safetensors").write_bytes(raw[:-10])
    with pytest.raises(BadFile, match=r"damaged or no .safetensors file"):
        load_dataset(str(tmp_path / "v.safetensors"))


def test_a_split_array_divides(tmp_path: Path) -> None:
    split = np.where(np.arange(20) < 5, "test", "train")
    data = load_dataset(saved(tmp_path, X=VECTORS, split=split))
    assert data.gallery_size == 15 and data.ids[-5:] == ("0", "1", "2", "3", "4")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": VECTORS, "y": LABELS[:-1]}, "20 samples, but y is 19"),
        ({"X": VECTORS, "y": LABELS / 3}, "has the label '0.0' at row 0"),
        ({"X": VECTORS, "y": LABELS, "classes": np.array(["a", "b"])}, "gives row 2 the label '2', but names 2"),
        ({"X": VECTORS, "ids": np.array(["i"] * 20)}, "the id 'i' at row 0 and again at row 1"),
        ({"X": np.where(VECTORS > 2, np.nan, np.inf)}, "not finite at row 0"),
        ({"X": np.full((20, 2), 1e300)}, "not finite at row 0"),
        ({"X": VECTORS[:0]}, "has no samples"),
        ({"X": VECTORS[:3]}, "has 3 samples"),
        ({"X": VECTORS[:, :0]}, "samples in the form 20 x 0"),
        ({"X": np.float32(1)}, "is one number"),
        ({"X": np.array(["a", " "] * 10)}, "no text at row 1"),
        ({"X": IMAGES.astype(np.float32)}, "images of float32"),
        ({"X": IMAGES.transpose(0, 3, 1, 2)}, "images in the form 20 x 3 x 4 x 4"),
        ({"X": IMAGES[:, :0]}, "images in the form 20 x 0 x 4 x 3"),
        ({"X_train": VECTORS}, "only one of X_train and X_test"),
        ({"X_train": VECTORS, "X_test": VECTORS[:, :2]}, "two unlike parts"),
        ({"X_train": VECTORS[:9], "X_test": VECTORS[9:], "y_train": LABELS[:8], "y_test": LABELS[8:]}, "8 for train"),
        ({"X": np.array([None, {}] * 10)}, "holds Python objects, which are not read"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(saved(tmp_path, **arrays))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 not a zip", b"text"])
@pytest.mark.parametrize("suffix", ["npz", "npy", "safetensors"])
def test_files_that_are_none_are_refused(tmp_path: Path, raw: bytes, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(raw)
    with pytest.raises(BadFile, match="is empty" if not raw else "is damaged or no"):
        load_dataset(str(path))


def test_a_cut_npz_and_a_header_that_lies_are_refused(tmp_path: Path) -> None:
    name = saved(tmp_path, X=VECTORS)
    whole = Path(name).read_bytes()
    Path(name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFile, match="is damaged"):
        load_dataset(name)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**13, 10)})
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("X.npy", header.getvalue() + b"1234")
    with pytest.raises(BadFile, match="is damaged"):
        load_dataset(name)


def test_an_npy_whose_header_does_not_parse_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, VECTORS)
    whole = path.read_bytes()
    for broken in (whole.replace(b"'<f4'", b"'<f4("), whole.replace(b"{", b"(", 1), whole.replace(b"<f4", b"|O8")):
        path.write_bytes(broken)
        with pytest.raises(BadFile, match=r"is damaged|holds Python objects"):
            load_dataset(str(path))


def test_large_files_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((1000, 1000), np.float32))
    monkeypatch.setattr(settings, "DATA_BYTES", 2**20)
    with pytest.raises(BadFile, match=r"takes 0.00373 GiB unpacked, more than 0.000977 GiB"):
        load_dataset(str(tmp_path / "a.npz"))


def graph_arrays(**changes: Any) -> dict[str, Any]:
    """Twelve nodes in a ring with one feature each, the last three for testing."""
    arrays = {
        "indptr": np.arange(13),
        "indices": np.arange(12) % 5,
        "values": np.ones(12, np.float32),
        "shape": np.array([12, 5]),
        "edges": np.array([(i, (i + 1) % 12) for i in range(12)]),
        "labels": np.arange(12) % 3,
        "split": np.array([0] * 3 + [1] * 2 + [3] * 4 + [2] * 3),
    }
    return {**arrays, **changes}


def test_a_graph_in_the_form_of_the_shared_cora(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path, **graph_arrays()))
    assert isinstance(data.samples, Graph) and data.gallery_size == 9 and data.samples.edges.shape == (12, 2)
    assert (data.samples.features.argmax(1) == np.arange(12) % 5).all() and data.samples.parts[-1] == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"edges": np.array([[0, 12]])}, r"Edge 0 in .* joins \[0, 12\]"),
        ({"edges": np.arange(4)}, "no pairs of nodes"),
        ({"indices": np.full(12, 5)}, "sparse features in .* are damaged"),
        ({"indices": np.full(12, -1)}, "sparse features in .* are damaged"),
        ({"indptr": np.arange(12)}, "sparse features in .* are damaged"),
        ({"split": np.full(12, 4)}, "not one code from 0 to 3"),
        ({"split": np.zeros(11)}, "not one code from 0 to 3"),
        ({"labels": np.zeros(11, int)}, "12 samples and 11 labels"),
        ({"labels": np.full(12, -1)}, "the label -1 at row 0"),
        ({"shape": np.array([10**6, 10**6])}, "more than 2 GiB"),
        ({"values": np.full(12, np.nan)}, "not finite at row 0"),
    ],
)
def test_graphs_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(saved(tmp_path, **graph_arrays(**changes)))
