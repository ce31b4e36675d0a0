"""Two data sets of the same items: by ids, by lines, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relviz.data.arranging import arranged
from relviz.data.dataset import DataSet
from relviz.data.paired import group, pair
from relviz.errors import BadChoice, BadFile, UnknownName


def texts(n: int, *, ids: tuple[str, ...] = (), name: str = "one", held_out: tuple[int, ...] = ()) -> DataSet:
    mask = np.isin(np.arange(n), held_out) if held_out else None
    words = tuple(f"{name} {i}" for i in range(n))
    return arranged(words, name=name, file=name, title=name, ids=ids, held_out=mask)


def test_lines_belong_together_where_nothing_names_them() -> None:
    found = pair(texts(20), texts(20, name="two"))
    assert len(found) == 20 and found.gallery_size == 16 and found.unpaired == (0, 0)
    a, b = found.a.samples, found.b.samples
    assert isinstance(a, tuple) and isinstance(b, tuple)
    for i, j in zip(found.rows_a.tolist(), found.rows_b.tolist(), strict=True):
        assert a[i].split()[1] == b[j].split()[1]


def test_ids_are_matched_in_any_order_and_the_rest_is_counted() -> None:
    names = tuple("abcdefghij")
    a = texts(10, ids=names, held_out=(0, 1, 2))
    b = texts(11, ids=(*reversed(names), "z"), name="two", held_out=(7, 8, 9, 10))
    found = pair(a, b)
    assert found.gallery_size == 7 and found.unpaired == (0, 1)
    assert [a.ids[i] for i in found.rows_a] == [b.ids[j] for j in found.rows_b]
    assert found.gallery == slice(0, 7) and found.held_out == slice(7, 10)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (texts(20), texts(21, name="two"), "'one' has 20 samples and 'two' 21, and neither names them"),
        (texts(4, ids=tuple("abcd"), held_out=(2, 3)), texts(20), "share 0 ids in their galleries and 0 held out"),
        (texts(20, held_out=(1, 2)), texts(20, name="two"), "Sample '4' is in the gallery of only one"),
        (
            texts(6, ids=tuple("abcdef"), held_out=(4, 5)),
            texts(6, ids=tuple("abxyeg"), name="two", held_out=(4, 5)),
            "share 2 ids in their galleries and 1 held out",
        ),
    ],
)
def test_data_sets_that_do_not_correspond_are_refused(a: DataSet, b: DataSet, said: str) -> None:
    with pytest.raises(BadChoice, match=said):
        pair(a, b)


def test_an_id_twice_is_refused_when_the_set_is_read() -> None:
    with pytest.raises(BadFile, match="the id 'a' at row 0 and again at row 2"):
        texts(6, ids=("a", "b", "a", "c", "d", "e"))


def test_one_held_out_pair_is_too_few() -> None:
    a = texts(10, ids=tuple("abcdefghij"), held_out=(8, 9))
    with pytest.raises(BadChoice, match="8 ids in their galleries and 1 held out"):
        pair(a, replace(a, ids=(*a.ids[:9], "other")))


def test_groups_are_read_from_the_shelf_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "relviz.toml"
    monkeypatch.setenv("RELVIZ_SHELF", str(file))
    file.write_text('[paired]\nsentences = ["en", "de", "fr"]\n')
    assert group("sentences") == ("en", "de", "fr")
    with pytest.raises(UnknownName, match=r"no group of paired data sets called 'sentence'. Did you mean 'sentences'"):
        group("sentence")
    for broken in ('"en"', '["en"]', '["en", "en"]', '["en", 3]'):
        file.write_text(f"[paired]\nsentences = {broken}\n")
        with pytest.raises(BadFile, match=r"The group 'sentences' of .* is no list of data sets. Write NAME = "):
            group("sentences")
