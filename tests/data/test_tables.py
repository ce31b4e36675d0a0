"""Tables of texts and vectors: good, empty, damaged, mislabelled, duplicate, not UTF-8, mismatched."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relviz.data.catalogue import load_dataset
from relviz.errors import BadFile, MissingData, UnknownName

ROWS = [(f"Text, number {i}", ("b", "a")[i % 2], "test" if i % 4 == 3 else "train", f"k{i}") for i in range(12)]
NAMES = ("text", "label", "split", "id")


def csv_file(folder: Path, text: str | bytes | None = None) -> str:
    path = folder / "data.csv"
    lines = [",".join(NAMES), *(f'"{words}",{label},{part},{key}' for words, label, part, key in ROWS)]
    raw = "\n".join(lines) + "\n" if text is None else text
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return str(path)


def check(name: str) -> None:
    data = load_dataset(name)
    assert data.name == name and data.modality == "text" and data.gallery_size == 9
    assert data.samples[9:] == tuple(ROWS[i][0] for i in (3, 7, 11))
    assert data.class_names == ("a", "b") and data.labels is not None and data.labels[9:].tolist() == [0, 0, 0]
    assert data.ids[9:] == ("k3", "k7", "k11")


def test_every_form_of_table_reads_the_same(tmp_path: Path) -> None:
    check(csv_file(tmp_path))
    rows = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "d.json").write_text(json.dumps(rows))
    (tmp_path / "d.tsv").write_text("\n".join("\t".join(row) for row in (NAMES, *ROWS)))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    for suffix in ("jsonl", "json", "tsv", "parquet"):
        check(str(tmp_path / f"d.{suffix}"))


def test_columns_can_be_named_and_the_first_line_can_be_data(tmp_path: Path) -> None:
    name = csv_file(tmp_path, "\n".join(f"eins {i},zwei {i},{i % 3}" for i in range(10)))
    data = load_dataset(f"{name}#header=no&text=2&label=3")
    assert data.samples[0] == "zwei 0" and data.class_names == ("0", "1", "2") and data.title == "data.csv"
    with pytest.raises(UnknownName, match=r"no column in .*data.csv called 'two'"):
        load_dataset(f"{name}#text=two")
    with pytest.raises(UnknownName, match=r"no option of .csv data called 'labl'. Did you mean 'label'"):
        load_dataset(f"{name}#labl=3")
    with pytest.raises(BadFile, match=r"None of the columns .*'eins 0', 'zwei 0', '0'.*header=no&text=1"):
        load_dataset(name)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    name = csv_file(tmp_path)
    before = load_dataset(name).fingerprint
    assert load_dataset(name).fingerprint == before
    Path(name).write_text(Path(name).read_text().replace("number 0", "number zero"))
    assert load_dataset(name).fingerprint != before


def test_classes_take_their_names_from_the_column_of_names(tmp_path: Path) -> None:
    lines = ["text,label,label_name", *(f"t{i},{i % 2},{('no', 'yes')[i % 2]}" for i in range(10))]
    assert load_dataset(csv_file(tmp_path, "\n".join(lines))).class_names == ("no", "yes")
    lines[8] = "t7,1,maybe"
    with pytest.raises(BadFile, match="calls the label 1 'yes' at line 3 and 'maybe' at line 9"):
        load_dataset(csv_file(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize("parts", [("train", "validation"), ("Train", "Val"), ("training", "dev")])
def test_without_a_test_part_the_validation_part_is_held_out(tmp_path: Path, parts: tuple[str, str]) -> None:
    lines = ["text,label,split", *(f"t{i},{i % 2},{parts[i % 4 > 1]}" for i in range(20))]
    data = load_dataset(csv_file(tmp_path, "\n".join(lines)))
    assert data.samples[10:] == tuple(f"t{i}" for i in range(20) if i % 4 > 1)
    assert data.split == "as its source divides it, the validation part held out" and data.notes == ()


def test_lines_are_counted_in_the_file_though_texts_run_over_several(tmp_path: Path) -> None:
    lines = ['text,label\n"two\nlines",a', *(f"t{i},a" for i in range(9)), ",a"]
    with pytest.raises(BadFile, match="no text at line 13"):
        load_dataset(csv_file(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "data.csv is empty"),
        ("text,label\n", "data.csv has no rows"),
        ("text,label\n" + "t,a\n" * 10 + "t\n", "1 cells in line 12 and 2 in line 1"),
        ("text,label\n" + "t,a\n" * 10 + "t,\n", "no label at line 12"),
        ("text,label\n" + "t,1\n" * 10 + "t,-1\n", "the label -1 at line 12"),
        ("id,text\n" + "".join(f"{i % 11},t\n" for i in range(12)), "the id '0' at line 2 and again at line 13"),
        ("text,split\n" + "t,train\n" * 9 + "t,tset\n", "puts line 11 into the unknown part 'tset'"),
        ("text,text\n" + "t,a\n" * 10, "two columns of the same name"),
        ('text,label\n"t"x,a\n' + "t,a\n" * 10, "data.csv is damaged at line 2"),
        ("text,label\n" + "t,a\n" * 3, "has 3 samples: 3 in the gallery and 0 held out"),
        (b"text,label\n" + b"t,a\n" * 10 + b"M\xfcnchen,a\n", r"data.csv is not UTF-8 text \(line 12\)"),
    ],
)
def test_broken_csv_is_refused_in_one_sentence(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(csv_file(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n", "has no rows"),
        ('{"text": "a"}\n{"text": ', "no valid JSON at line 2"),
        ('{"text": "a"}\n[1]', "no JSON object at line 2"),
        ('{"text": "a"}\n{"txt": "a"}', "the name 'text' not in every object: see line 2"),
        ('{"text": "a"}\n{"text": 7}\n' * 10, "no text at line 2"),
        ("[" * 100_000, "no valid JSON at line 1"),
    ],
)
def test_broken_json_lines_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(text)
    with pytest.raises(BadFile, match=said):
        load_dataset(str(path))


def test_vectors_in_parquet_and_json_lines(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    columns = {"embedding": list(vectors), "label": ["a", "b"] * 10, "id": list(range(20))}
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    data = load_dataset(str(tmp_path / "v.parquet"))
    assert data.modality == "vector" and isinstance(data.samples, np.ndarray) and data.samples.dtype == np.float32
    assert (data.samples == vectors[[int(name) for name in data.ids]]).all() and data.class_names == ("a", "b")
    lines = [json.dumps({"embedding": row.tolist()}) for row in vectors]
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    again = load_dataset(str(tmp_path / "v.jsonl"))
    assert (again.samples == vectors[[int(name) for name in again.ids]]).all()
    for broken, said in (('{"embedding": [1, 2]}', "2 numbers at line 21 and 3"), ('{"embedding": null}', "no list")):
        (tmp_path / "v.jsonl").write_text("\n".join([*lines, broken]))
        with pytest.raises(BadFile, match=said):
            load_dataset(str(tmp_path / "v.jsonl"))


def test_broken_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    ragged = [[1.0, 2.0]] * 10 + [[1.0]]
    pq.write_table(pa.table({"embedding": ragged}), path)
    with pytest.raises(BadFile, match=r"1 numbers at row 10 and 2 numbers at row 0|1 numbers at row 10 and 2 at row 0"):
        load_dataset(str(path))
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    with pytest.raises(BadFile, match="has no rows"):
        load_dataset(str(path))
    pq.write_table(pa.table({"text": ["a"] * 20}), path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BadFile, match="damaged or no Parquet file"):
        load_dataset(str(path))


def test_an_entry_of_the_shelf_file_goes_before_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, file = csv_file(tmp_path), tmp_path / "relviz.toml"
    monkeypatch.setenv("RELVIZ_SHELF", str(file))
    file.write_text('[data.trec]\npath = "data.csv"\n[data.few]\npath = "trec:n=8"\n[data.digits]\npath = "data.csv"\n')
    assert load_dataset("trec").fingerprint == load_dataset(name).fingerprint
    assert len(load_dataset("few")) == 8 and load_dataset("digits").modality == "image"
    file.write_text('[data.trec]\npath = "trec:n=8"\n')
    with pytest.raises(MissingData, match="The text set 'trec' is not on this machine"):
        load_dataset("trec")
