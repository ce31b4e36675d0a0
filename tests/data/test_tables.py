"""Tables of texts and vectors: good, empty, damaged, mislabelled, duplicate, not UTF-8, mismatched."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, BadFile, MissingData, UnknownName

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


SWALLOWED = [f"{'ab'[i % 2]},words {i},{i % 2}" for i in range(40)]


def after(changes: dict[int, str], lines: list[str] = SWALLOWED) -> str:
    """A CSV file in which some rows are others."""
    return "\n".join(["kind,text,label", *(changes.get(i, line) for i, line in enumerate(lines))])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({4: 'a,"words,0'}, "has a quote at line 6 that is never closed.*#quote=no"),
        ({4: 'a,"two', 5: 'lines",1', 20: 'a,"words,0'}, "has a quote at line 22 that is never closed"),
        ({39: 'a,words,"0'}, "has a quote at line 41 that is never closed"),
        ({4: 'a,"he said ""hi"",0'}, "has a quote at line 6 that is never closed"),
        ({4: 'a,"words,0', 9: 'a,words",1'}, "has a quote at line 6 that closes only at line 11, after whole rows"),
        ({4: 'a,words,"0', 30: 'a,words,1"'}, "has a quote at line 6 that closes only at line 32"),
        ({4: '"a,words,0', 7: 'b",words,1'}, "has a quote at line 6 that closes only at line 9"),
        ({4: 'a,"words,0', 9: 'a,"words",1'}, "is damaged at line 6"),
    ],
)
def test_a_quote_too_many_is_refused_where_it_opens(tmp_path: Path, changes: dict[int, str], said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(csv_file(tmp_path, after(changes)))


def test_quotes_of_csv_are_letters_or_enclose_rows_where_that_is_asked(tmp_path: Path) -> None:
    name = csv_file(tmp_path, after({4: 'a,"words,0', 9: 'a,words",1'}))
    assert len(load_dataset(f"{name}#quote=no")) == 40
    whole = load_dataset(f"{name}#quote=yes")
    assert len(whole) == 35 and whole.samples[whole.ids.index("4")].count("\n") == 5  # type: ignore[union-attr,index]
    assert any("1 of 36 rows of data.csv run over several of its 41 lines" in note for note in whole.notes)
    for option in ("quote=maybe", "header=none"):
        with pytest.raises(BadChoice, match="Write yes or no"):
            load_dataset(f"{name}#{option}")


@pytest.mark.parametrize(
    "cell", ["one\ntwo", "a line, with a comma\n\nand a paragraph\n", "x, y\nno comma\nz, w\n", "a\nb\nc\nd\ne"]
)
def test_texts_of_several_lines_are_read_and_said(tmp_path: Path, cell: str) -> None:
    data = load_dataset(csv_file(tmp_path, after({4: f'a,"{cell}",0'})))
    assert len(data) == 40 and cell in data.samples
    assert any(f"the longest from line 6 to {6 + cell.count(chr(10))}." in note for note in data.notes)


@pytest.mark.parametrize("changes", [{3: '"unclosed'}, {3: 'say "hi', 4: 'there"'}, {0: '"', 39: 'inch 5"'}])
def test_quotes_are_letters_in_tsv(tmp_path: Path, changes: dict[int, str]) -> None:
    texts = [changes.get(i, f"words {i}") for i in range(40)]
    (tmp_path / "q.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts)))
    data = load_dataset(f"{tmp_path}/q.tsv")
    assert len(data) == 40 and set(data.samples) == set(texts) and len(data.notes) == 1  # type: ignore[arg-type]


def test_quotes_around_cells_of_tsv_are_said_and_taken_off_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_text("text\tlabel\n" + "".join(f'"words {i}"\t{i % 2}\n' for i in range(20)))
    assert (
        "20 cells of q.tsv stand in quotes, which are read as part of them"
        in load_dataset(f"{tmp_path}/q.tsv").notes[0]
    )
    data = load_dataset(f"{tmp_path}/q.tsv#quote=yes")
    assert "words 3" in data.samples and len(data.notes) == 1


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_empty_lines_between_rows_are_counted(tmp_path: Path, suffix: str) -> None:
    rows = [{"csv": f"t{i},a", "tsv": f"t{i}\ta", "jsonl": json.dumps({"text": f"t{i}", "label": "a"})}[suffix]
            for i in range(20)]  # fmt: skip
    lines = {"csv": ["text,label"], "tsv": ["text\tlabel"], "jsonl": []}[suffix] + rows
    path = tmp_path / f"e.{suffix}"
    path.write_text("\n".join(lines) + "\n\n\n")  # at the end they separate nothing
    assert len(load_dataset(str(path)).notes) == 1
    lines[5:5] = ["", ""]
    path.write_text("\n".join(lines))
    data = load_dataset(str(path))
    assert len(data) == 20
    assert data.notes[0] == f"2 empty lines of e.{suffix} were skipped, the first of them line 6."


def test_an_empty_line_of_a_single_column_is_a_row_without_text(tmp_path: Path) -> None:
    for suffix in ("csv", "tsv"):
        (tmp_path / f"one.{suffix}").write_text("\n".join(["words"] * 5 + [""] + ["words"] * 5))
        with pytest.raises(BadFile, match="no text at line 6"):
            load_dataset(f"{tmp_path}/one.{suffix}#header=no&text=1")


VECTORS = np.random.default_rng(0).normal(size=(40, 12)).round(4)
FOUR = np.arange(40) % 4


def written(folder: Path, form: str) -> str:
    names = [f"dim_{i}" for i in range(12)]
    order = np.random.default_rng(1).permutation(12)  # columns may stand in any order
    lists = {
        "json.csv": [json.dumps(row.tolist()) for row in VECTORS],
        "numpy.csv": [np.array2string(row, max_line_width=40, separator=" ") for row in VECTORS],
        "tuple.tsv": [str(tuple(row.tolist())) for row in VECTORS],
    }
    if form in lists:
        frame = pd.DataFrame({"label": FOUR, "embedding": lists[form]})
        frame.to_csv(folder / form, index=False, sep="," if form.endswith("csv") else "\t")
        return str(folder / form)
    frame = pd.DataFrame(VECTORS, columns=names).iloc[:, order]
    frame.insert(3, "label", FOUR)
    if form == "wide.parquet":
        frame.to_parquet(folder / form)
        return str(folder / form)
    if form == "bare.csv":
        frame.columns = [name.removeprefix("dim_") for name in frame.columns]
    if form == "texts.csv":
        frame.insert(0, "text", "words")
    frame.to_csv(folder / form, index=form == "index.csv")
    return f"{folder / form}{'#vectors=dim_*' if form == 'texts.csv' else ''}"


@pytest.mark.parametrize(
    "form",
    ["json.csv", "numpy.csv", "tuple.tsv", "wide.csv", "wide.parquet", "bare.csv", "index.csv", "texts.csv"],
)
def test_vectors_of_every_table_are_the_same(tmp_path: Path, form: str) -> None:
    data = load_dataset(written(tmp_path, form))
    assert data.modality == "vector" and data.class_names == ("0", "1", "2", "3") and len(data) == 40
    assert (data.samples == VECTORS.astype(np.float32)[[int(name) for name in data.ids]]).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("embedding\n" + '"[1, 2]"\n' * 9 + '"[1, x]"\n', "no list of numbers at line 11"),
        ("embedding\n" + '"[1, 2]"\n' * 9 + '"[1 ... 2]"\n', "no list of numbers at line 11"),
        ("embedding\n" + '"[1, 2]"\n' * 9 + '"[1]"\n', "1 numbers at line 11 and 2 at line 2"),
        ("d1,d2\n" + "1,2\n" * 9 + "1,\n", "no number in the column 'd2' at line 11"),
        ("d1,d2\n" + "1,2\n" * 9 + "nan,3\n", "not finite at line 11"),
        ("x1,x2,y1,y2\n" + "1,2,3,4\n" * 9, r"several groups of columns like vectors: 'x\*' and 'y\*'"),
        ("d1,d3\n" + "1,2\n" * 9, "is called like texts or vectors"),
        ("text1,text2\n" + "a,b\n" * 9, "is called like texts or vectors"),
    ],
)
def test_columns_that_are_no_vectors_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(csv_file(tmp_path, text))


def test_columns_of_vectors_are_asked_for_by_their_prefix(tmp_path: Path) -> None:
    name = csv_file(tmp_path, "x1,x2,y1,y2\n" + "1,2,3,4\n" * 12)
    assert load_dataset(f"{name}#vectors=y*").samples[0].tolist() == [3, 4]  # type: ignore[union-attr,index]
    with pytest.raises(UnknownName, match=r"no column in .* called 'z\*'"):
        load_dataset(f"{name}#vectors=z*")
    name = csv_file(tmp_path, "1,2,3\n" * 12)
    assert load_dataset(f"{name}#header=no&vectors=*&label=3").shape == (2,)
