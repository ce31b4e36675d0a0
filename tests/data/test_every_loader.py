"""Every loader against every way of being wrong: one sentence that names the file, and nothing half-registered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from relviz.data.catalogue import load_dataset
from relviz.errors import BadFile

N = 20
DEFECTS = ("empty", "damaged", "mislabelled", "duplicate", "not UTF-8", "mismatched")
LABELS = np.arange(N) % 2
VECTORS = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
IMAGES = np.random.default_rng(1).integers(0, 255, (N, 4, 4), dtype=np.uint8)
IDS = np.array([f"i{i}" for i in range(N)])
TWICE = np.array([f"i{i % 19}" for i in range(N)])
NOT_UTF8 = np.array([b"caf\xe9"] * N)

Make = Callable[[Path], str]  # writes what is wrong and gives the name to load it by


def npz(folder: Path, arrays: dict[str, Any]) -> str:
    np.savez(folder / "x.npz", **arrays)
    return str(folder / "x.npz")


def tensors(folder: Path, arrays: dict[str, Any]) -> str:
    save_file({name: torch.from_numpy(array) for name, array in arrays.items()}, folder / "x.safetensors")
    return str(folder / "x.safetensors")


def parquet(folder: Path, columns: dict[str, Any]) -> str:
    pq.write_table(pa.table({name: list(column) for name, column in columns.items()}), folder / "x.parquet")
    return str(folder / "x.parquet")


def jsonl(folder: Path, columns: dict[str, Any]) -> str:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return raw("x.jsonl", "\n".join(map(json.dumps, rows)).encode())(folder)


def csv(folder: Path, columns: dict[str, Any]) -> str:
    rows = [columns, *zip(*columns.values(), strict=True)]
    return raw("x.csv", "\n".join(",".join(map(str, row)) for row in rows).encode())(folder)


def pictures(folder: Path, shades: dict[str, int]) -> str:
    for place, shade in shades.items():
        path = folder / "x" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), shade).save(path)
    return str(folder / "x")


def words(folder: Path, lines: list[str]) -> str:
    return raw("x.txt", "\n".join(lines).encode())(folder)


def binary(folder: Path, names: list[bytes]) -> str:
    entries = b"".join(name + b" " + vector.tobytes() for name, vector in zip(names, VECTORS, strict=True))
    return raw("x.bin", b"20 3\n" + entries)(folder)


def raw(name: str, content: bytes) -> Make:
    def made(folder: Path) -> str:
        (folder / name).write_bytes(content)
        return str(folder / name)

    return made


def of(write: Callable[[Path, Any], str], content: Any) -> Make:
    return lambda folder: write(folder, content)


def cut(make: Make) -> Make:
    """The same file without its last third."""

    def made(folder: Path) -> str:
        name = make(folder)
        whole = Path(name).read_bytes()
        Path(name).write_bytes(whole[: 2 * len(whole) // 3])
        return name

    return made


def oddly_named(folder: Path) -> str:
    name = made(folder)
    (Path(name) / "dog").rename(Path(name) / b"d\xf6g".decode(errors="surrogateescape"))
    return name


def larger(folder: Path) -> str:
    Image.new("L", (5, 5)).save(Path(made(folder)) / "dog" / "10.png")
    return str(folder / "x")


def broken(folder: Path) -> str:
    (Path(made(folder)) / "cat" / "0.png").write_bytes(b"\x89PNG half")
    return str(folder / "x")


def stray(folder: Path) -> str:
    Image.new("L", (4, 4)).save(Path(made(folder)) / "x.png")
    return str(folder / "x")


def nothing(folder: Path) -> str:
    (folder / "x").mkdir()
    return str(folder / "x")


def made(folder: Path) -> str:
    return pictures(folder, SHADES)


def beside(arrays: dict[str, Any]) -> Make:
    """An npy file with others in its folder."""

    def made(folder: Path) -> str:
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        options = "&".join(f"{name}={name}.npy" for name in arrays if name != "x")
        return f"{folder / 'x.npy'}#{options}" if options else str(folder / "x.npy")

    return made


SHADES = {f"{kind}/{i}.png": 10 * i for kind in ("cat", "dog") for i in range(10)}
TEXTS = {"text": [f"text {i}" for i in range(N)], "label": LABELS.tolist(), "id": IDS.tolist()}
LINES = [f"{name} {' '.join(map(str, vector.tolist()))}" for name, vector in zip(IDS, VECTORS, strict=True)]
GRAPH = {
    "indptr": np.arange(N + 1), "indices": np.arange(N) % 5, "values": np.ones(N), "shape": np.array([N, 5]),
    "edges": np.array([(i, (i + 1) % N) for i in range(N)]), "labels": LABELS, "split": np.arange(N) % 3,
}  # fmt: skip

GOOD: dict[str, Make] = {
    "class folders": of(pictures, SHADES),
    "images in npz": of(npz, {"X": IMAGES, "y": LABELS, "ids": IDS}),
    "images in safetensors": of(tensors, {"X": IMAGES, "y": LABELS}),
    "vectors in npy": beside({"x": VECTORS, "labels": LABELS, "ids": IDS}),
    "csv": of(csv, TEXTS),
    "jsonl": of(jsonl, TEXTS),
    "parquet": of(parquet, TEXTS),
    "graph in npz": of(npz, GRAPH),
    "words as text": of(words, LINES),
    "words in binary": of(binary, [name.encode() for name in IDS]),
}

BAD: dict[str, dict[str, tuple[Make, str]]] = {
    "class folders": {
        "empty": (nothing, "holds no class folders"),
        "damaged": (broken, "0.png is damaged"),
        "mislabelled": (stray, "x.png is in no class folder"),
        "not UTF-8": (oddly_named, "that is not UTF-8"),
        "mismatched": (larger, "unlike sizes: cat/0.png is 4 x 4, dog/10.png is 5 x 5"),
    },
    "images in npz": {
        "empty": (of(npz, {"X": IMAGES[:0], "y": LABELS[:0]}), "has no samples"),
        "damaged": (cut(GOOD["images in npz"]), "is damaged"),
        "mislabelled": (of(npz, {"X": IMAGES, "y": LABELS - 1}), "the label -1 at row 0"),
        "duplicate": (of(npz, {"X": IMAGES, "ids": TWICE}), "the id 'i0' at row 0 and again at row 19"),
        "not UTF-8": (of(npz, {"X": IMAGES, "y": NOT_UTF8}), "array y in .* is not UTF-8"),
        "mismatched": (of(npz, {"X": IMAGES, "y": LABELS[1:]}), "20 samples, but y is 19"),
    },
    "images in safetensors": {
        "empty": (raw("x.safetensors", b""), "is empty"),
        "damaged": (cut(GOOD["images in safetensors"]), "is damaged"),
        "mislabelled": (of(tensors, {"X": IMAGES, "y": LABELS / 3}), "has the label '0.0' at row 0"),
        "duplicate": (of(tensors, {"X": IMAGES, "ids": LABELS}), "the id '0' at row 0 and again at row 2"),
        "not UTF-8": (raw("x.safetensors", b"\x10" + bytes(7) + b'{"caf\xe9":{}}   '), "is damaged"),
        "mismatched": (of(tensors, {"X": IMAGES, "y": LABELS[1:]}), "20 samples, but y is 19"),
    },
    "vectors in npy": {
        "empty": (beside({"x": VECTORS[:0]}), "has no samples"),
        "damaged": (cut(beside({"x": VECTORS})), "is damaged"),
        "mislabelled": (beside({"x": VECTORS, "labels": LABELS - 1}), "the label -1 at row 0"),
        "duplicate": (beside({"x": VECTORS, "ids": TWICE}), "the id 'i0' at row 0 and again at row 19"),
        "not UTF-8": (beside({"x": VECTORS, "ids": NOT_UTF8}), "ids.npy is not UTF-8"),
        "mismatched": (beside({"x": VECTORS, "labels": LABELS[1:]}), "20 samples, but labels.npy is 19"),
    },
    "csv": {
        "empty": (raw("x.csv", b""), "is empty"),
        "damaged": (raw("x.csv", b'text,label\n"a"b,0\n'), "is damaged at line 2"),
        "mislabelled": (of(csv, TEXTS | {"label": [*LABELS[1:], ""]}), "no label at line 21"),
        "duplicate": (of(csv, TEXTS | {"id": TWICE}), "the id 'i0' at line 2 and again at line 21"),
        "not UTF-8": (raw("x.csv", b"text\ncaf\xe9\n"), r"is not UTF-8 text \(line 2\)"),
        "mismatched": (raw("x.csv", b"text,label\na,0\nb\n"), "1 cells in line 3 and 2 in line 1"),
    },
    "jsonl": {
        "empty": (raw("x.jsonl", b"\n"), "has no rows"),
        "damaged": (cut(of(jsonl, {"text": ["a" * 90]})), "no valid JSON at line 1"),
        "mislabelled": (of(jsonl, TEXTS | {"label": [None] * N}), "no label at line 1"),
        "duplicate": (of(jsonl, TEXTS | {"id": TWICE.tolist()}), "the id 'i0' at line 1 and again at line 20"),
        "not UTF-8": (of(jsonl, TEXTS | {"text": ["caf\udce9"] * N}), "a text at line 1 that is not UTF-8"),
        "mismatched": (raw("x.jsonl", b'{"text": "a"}\n{"txt": "b"}'), "'text' not in every object: see line 2"),
    },
    "parquet": {
        "empty": (of(parquet, {"text": pa.array([], pa.string())}), "has no rows"),
        "damaged": (cut(of(parquet, TEXTS)), "is damaged or no Parquet file"),
        "mislabelled": (of(parquet, TEXTS | {"label": [None] * N}), "no label at row 0"),
        "duplicate": (of(parquet, TEXTS | {"id": TWICE}), "the id 'i0' at row 0 and again at row 19"),
        "not UTF-8": (of(parquet, TEXTS | {"id": NOT_UTF8.tolist()}), "words that are not UTF-8"),
        "mismatched": (of(parquet, {"vector": [[1.0, 2.0]] * 19 + [[1.0]]}), "1 numbers at row 19 and 2"),
    },
    "graph in npz": {
        "empty": (of(npz, GRAPH | {"indptr": np.array([0]), "shape": np.array([0, 5])}), "are damaged"),
        "damaged": (of(npz, GRAPH | {"indices": np.arange(N)}), "sparse features in .* are damaged"),
        "mislabelled": (of(npz, GRAPH | {"labels": LABELS - 1}), "the label -1 at row 0"),
        "duplicate": (of(npz, GRAPH | {"edges": np.array([[0, 1], [2, 3], [1, 0]])}), "Edge 2 .* as an edge before"),
        "not UTF-8": (of(npz, GRAPH | {"labels": NOT_UTF8}), "label at row 0 that is not UTF-8"),
        "mismatched": (of(npz, GRAPH | {"edges": np.array([[0, N]])}), r"Edge 0 .* joins \[0, 20\], no two"),
    },
    "words as text": {
        "empty": (of(words, []), "holds no words"),
        "damaged": (of(words, [*LINES, "odd 1 2 x"]), "Line 21 .* something else than numbers"),
        "duplicate": (of(words, [*LINES, LINES[0]]), "the id 'i0' at line 1 and again at line 21"),
        "not UTF-8": (raw("x.txt", b"caf\xe9 1 2 3\n"), r"not UTF-8 text \(line 1\)"),
        "mismatched": (of(words, ["21 3", *LINES]), "promises 21 words and has 20"),
    },
    "words in binary": {
        "empty": (raw("x.bin", b""), "does not begin with the number of words"),
        "damaged": (cut(GOOD["words in binary"]), "promises 20 words and ends within word"),
        "duplicate": (of(binary, [name.encode() for name in TWICE]), "the id 'i0' at word 1 and again at word 20"),
        "not UTF-8": (of(binary, [b"caf\xe9"] * N), "not UTF-8 text at word 1"),
        "mismatched": (raw("x.bin", b"20 4\n" + b"a " + VECTORS[0].tobytes()), "ends within word 1"),
    },
}
CANNOT = {  # what a form of file has no room for
    ("class folders", "duplicate"): "the ids are paths",
    ("words as text", "mislabelled"): "words have no labels",
    ("words in binary", "mislabelled"): "words have no labels",
}
CASES = [(kind, defect) for kind, defects in BAD.items() for defect in defects]


def test_every_loader_meets_every_defect() -> None:
    assert BAD.keys() == GOOD.keys()
    met = set(CASES) | CANNOT.keys()
    assert met == {(kind, defect) for kind in GOOD for defect in DEFECTS} and not set(CASES) & CANNOT.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_right_is_read(kind: str, tmp_path: Path) -> None:
    data = load_dataset(GOOD[kind](tmp_path))
    assert len(data) == N and 2 <= data.gallery_size < N and len(data.fingerprint) == 64
    assert data.labels is None or set(data.labels.tolist()) == {0, 1}


@pytest.mark.parametrize(("kind", "defect"), CASES)
def test_what_is_wrong_is_one_sentence(kind: str, defect: str, tmp_path: Path) -> None:
    make, said = BAD[kind][defect]
    name = make(tmp_path)
    for _ in range(2):  # nothing of the first attempt is kept
        with pytest.raises(BadFile, match=said) as refused:
            load_dataset(name)
        told = refused.value
        assert str(tmp_path) in told.sentence and told.sentence.endswith(".") and told.hint.endswith(".")
        assert "\n" not in str(told) and str(told).encode()  # a page can show it
