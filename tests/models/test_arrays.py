"""To which data the rows of an array belong: by their file, their ids, an entry of the shelf, or on the user's word."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from relviz.cli import main
from relviz.data.catalogue import load_dataset, source_of
from relviz.errors import BadChoice, BadFile, RelvizError
from relviz.models.catalogue import find, names_for, offered, why_not_offered
from relviz.models.shelf_lines import lines

N = 60
DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(N, 4)).astype(np.float32)
OTHER = DRAW.normal(size=(N, 6)).astype(np.float32)
IDS = np.array([f"item {i}" for i in DRAW.permutation(N)])
LABELS = np.arange(N) % 3


def npy(folder: Path, name: str, array: Any) -> str:
    np.save(folder / f"{name}.npy", array)
    return str(folder / f"{name}.npy")


def npz(folder: Path, name: str, **arrays: Any) -> str:
    np.savez(folder / f"{name}.npz", **arrays)
    return f"{folder / f'{name}.npz'}#X"


def csv(folder: Path, name: str, vectors: Any) -> str:
    lines = [json.dumps({"embedding": list(map(float, row))}) for row in vectors]
    (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return str(folder / f"{name}.jsonl")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a shelf file in the folder."""
    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "relviz.toml"))
    return lambda text: (tmp_path / "relviz.toml").write_text(text) and None


@pytest.mark.parametrize(
    "longer",
    [
        np.vstack([OTHER[:20], OTHER[19:20], OTHER[20:]]),  # one twice
        np.vstack([OTHER, OTHER]),
        np.vstack([OTHER, OTHER[:1]]),
        OTHER[:-1],
    ],
)
@pytest.mark.parametrize("written", [npy, csv])
def test_rows_that_nothing_names_are_as_many_as_the_samples(
    longer: Any, written: Callable[[Path, str, Any], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = written(tmp_path, "a", ROWS), written(tmp_path, "b", longer)
    assert main(["compare", f"array:{a}", f"array:{b}", "--data", a, "--anchors", "10"]) == 1
    assert f"has {len(longer)} rows and '{a}' {N}, and neither names them" in capsys.readouterr().err
    with pytest.raises(BadChoice, match=f"has {len(longer)} rows and .* {N}, and neither names them"):
        find(f"array:{b}").check(load_dataset(f"{a}:n=30"))  # a part has fewer rows, its source has not


def test_rows_that_ids_name_are_matched_by_them(tmp_path: Path) -> None:
    data = load_dataset(npz(tmp_path, "a", X=ROWS, y=LABELS, ids=IDS))
    order = DRAW.permutation(N)
    more = npz(tmp_path, "b", X=np.vstack([OTHER[order], OTHER[:1]]), ids=np.append(IDS[order], "another"))
    model = find(f"array:{more}")
    model.check(data)
    found = model.load().encode(data, slice(0, N)).numpy()
    assert (found == OTHER[[IDS.tolist().index(name) for name in data.ids]]).all()
    assert model.notes_for(data) == ()
    with pytest.raises(BadChoice, match=r"does not name its rows, and '.*' names its samples"):
        find(f"array:{npz(tmp_path, 'c', X=OTHER)}").check(data)
    with pytest.raises(BadChoice, match="has 59 rows, and none for the sample 'item"):
        find(f"array:{npz(tmp_path, 'd', X=OTHER[1:], ids=IDS[1:])}").check(data)


def test_two_splits_of_unlike_rows_do_not_correspond(tmp_path: Path) -> None:
    data = load_dataset(npz(tmp_path, "a", X=ROWS, split=np.where(np.arange(N) % 2, "train", "test")))
    with pytest.raises(BadChoice, match="holds out other rows than"):
        find(f"array:{npz(tmp_path, 'b', X_train=OTHER[:30], X_test=OTHER[30:])}").check(data)
    find(f"array:{npz(tmp_path, 'c', X=OTHER)}").check(data)


@pytest.mark.parametrize("data", ["digits", "fashion-mnist", "digits:n=100"])
def test_an_array_of_somebody_s_rows_is_not_offered_for_other_data(
    data: str, tmp_path: Path, shelf: Callable[[str], None]
) -> None:
    whole = load_dataset(data).rows
    npz(tmp_path, "docs", X=np.zeros((50_000, 2), np.float32), same=np.ones((whole, 2), np.float32))
    shelf('[models.docs]\nsource = "array:docs.npz#X"\n[models.same]\nsource = "array:docs.npz#same"\n')
    assert not {"docs", "same"} & set(names_for(load_dataset(data)))
    assert "has 50000 rows and" in why_not_offered("docs", load_dataset(data))
    assert f"nothing binds to '{load_dataset(data).name}'" in why_not_offered("same", load_dataset(data))
    (note,) = find("same").notes_for(load_dataset(data))  # yet whoever asks gets it, with a note
    assert note.startswith("Rows of 'same' are taken to be the samples of") and "because neither names them" in note
    assert [line.rows for line in lines()] == [
        'not bound: offered for data of the same file; bind it to others by data = "NAME"'
    ] * 2


@pytest.mark.parametrize("asked", ["digits", "digits:n=100,seed=2"])
@pytest.mark.parametrize("entry", ['"digits"', '["fashion-mnist", "digits"]'])
def test_an_entry_binds_an_array_to_data_and_to_its_parts(
    asked: str, entry: str, tmp_path: Path, shelf: Callable[[str], None]
) -> None:
    rows = 10_000 if "fashion" in entry else 1797
    npz(tmp_path, "v", X=np.ones((1797, 2), np.float32))
    shelf(f'[models.v]\nsource = "array:v.npz#X"\ndata = {entry}\n')
    assert "v" in names_for(load_dataset(asked)) and find("v").notes_for(load_dataset(asked)) == ()
    (line,) = lines()
    assert line.rows == "of digits" if rows == 1797 else "has 1797 rows and 'fashion-mnist' 10000" in str(line.problem)


def test_data_of_the_same_file_need_no_word(tmp_path: Path, shelf: Callable[[str], None]) -> None:
    npz(tmp_path, "v", X=ROWS, other=OTHER, short=OTHER[1:], y=LABELS)
    shelf(
        '[data.mine]\npath = "v.npz#key=X&labels=y"\n'
        + "".join(f'[models.{name}]\nsource = "array:v.npz#{name}"\n' for name in ("X", "other", "short"))
    )
    data = load_dataset("mine")
    assert names_for(data) == ["X", "other"] and find("other").notes_for(data) == ()
    assert source_of("mine:n=9") == (tmp_path / "v.npz").resolve()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('builder = "a:b"\ndata = "digits"', "has the key 'data', for which a network has no use"),
        ('source = "timm:x"\ndata = "digits"', "has the key 'data', for which a network has no use"),
        ('source = "array:v.npy"\nsize = 8', "has the key 'size', for which an array has no use"),
        (
            'source = "array:v.npy"\nlatent = "x"\ncheckpoint = "y"',
            "has the key 'checkpoint', for which an array has no use",
        ),
        ('source = "array:v.npy"\ndata = 3', "has the data 3"),
        (
            'source = "timm:x"\nvectors = 8',
            "has the key 'vectors', for which a source that knows what it reads has no use",
        ),
    ],
)
def test_an_entry_has_only_what_its_kind_uses(entry: str, said: str, shelf: Callable[[str], None]) -> None:
    shelf(f"[models.v]\n{entry}\n")
    with pytest.raises(BadFile, match=said):
        find("v")


def test_an_array_that_cannot_be_used_keeps_its_place_and_its_reason(
    tmp_path: Path, shelf: Callable[[str], None]
) -> None:
    broken = np.where(np.arange(N)[:, None] == 7, np.nan, ROWS)
    npz(tmp_path, "v", X=ROWS, nan=broken)
    shelf("".join(f'[models.{name}]\nsource = "array:v.npz#{name}"\n' for name in ("nan", "X", "gone")))
    found = offered(load_dataset(f"{tmp_path}/v.npz#X"))
    assert list(found) == ["X", "nan", "gone"]
    assert "not finite at row 7" in str(found["nan"]) and "no array in" in str(found["gone"])
    assert "There is no model called 'array:v.npz#X'" in why_not_offered("array:v.npz#X", load_dataset("digits"))


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nan", "has a number that is not finite at row 7"),
        ("docs", "has 60 rows and 'digits' 1797, and neither names them"),
        ("fmnist-cnn-s0", "reads 28 x 28 images, and those of 'digits' are 8 x 8"),
        ("nobody", "There is no model called 'nobody'"),
    ],
)
def test_a_link_to_a_model_that_cannot_be_used_says_why(
    link: str, said: str, tmp_path: Path, shelf: Callable[[str], None]
) -> None:
    npz(tmp_path, "v", X=ROWS, nan=np.where(np.arange(N)[:, None] == 7, np.nan, ROWS))
    shelf('[models.nan]\nsource = "array:v.npz#nan"\n[models.docs]\nsource = "array:v.npz#X"\n')
    app = AppTest.from_string("from relviz.ui.controls import choose\nchoose()\n", default_timeout=60)
    app.query_params.update({"data": "digits", "a": link})
    app.run()
    assert any(said in shown.value for shown in [*app.toast, *app.error]) and not app.exception


@pytest.mark.parametrize("labels", [{}, {"y": LABELS}])
def test_without_data_arrays_are_compared_on_their_own_rows(
    labels: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(tmp_path, "v", a=ROWS, b=OTHER, **labels)
    models = [f"array:{tmp_path}/v.npz#{key}" for key in "ab"]
    assert main(["compare", *models, "--anchors", "10", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"] == f"{tmp_path}/v.npz#a" and found["measures"]["absolute"]["cka"]["n"] == 12
    assert found["anchors"]["strategy"] == ("class-balanced" if labels else "uniform")
    assert any(note.startswith("No data set is named, so the samples are those of") for note in found["notes"])
    assert main(["compare", "digits-mlp-s0", models[1], "--anchors", "10"]) == 1
    assert "vector" in capsys.readouterr().err


def test_without_data_an_entry_s_array_is_compared_on_the_data_it_names(
    tmp_path: Path, shelf: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    npz(tmp_path, "v", X=DRAW.normal(size=(1797, 3)))
    shelf('[models.v]\nsource = "array:v.npz#X"\ndata = "digits"\n')
    assert main(["compare", "digits-mlp-s0", "v", "--anchors", "10", "--measures", "cka", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "digits"


def test_an_array_is_added_with_its_data(
    tmp_path: Path, shelf: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    npz(tmp_path, "v", X=np.ones((1797, 3)), short=np.ones((1796, 3)))
    assert main(["add", "v", "--source", f"array:{tmp_path}/v.npz#X", "--data", "digits"]) == 0
    assert "v" in names_for(load_dataset("digits"))
    assert main(["add", "w", "--source", f"array:{tmp_path}/v.npz#short", "--data", "digits"]) == 1
    assert "has 1796 rows and 'digits' 1797" in capsys.readouterr().err
    with pytest.raises(RelvizError, match="no model called 'w'"):
        find("w")
