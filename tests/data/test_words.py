"""Word vectors in all their files: good, empty, damaged, duplicate, not UTF-8, ragged."""

from pathlib import Path

import numpy as np
import pytest

from relviz.data.arranging import drawn
from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, BadFile, UnknownName

WORDS = ["the", "12", ". . .", "Größe", "\u0085x", *(f"w{i}" for i in range(15))]
VECTORS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
LINES = [f"{word} {' '.join(map(str, vector.tolist()))}" for word, vector in zip(WORDS, VECTORS, strict=True)]


def text_file(folder: Path, lines: list[str] | bytes, *, suffix: str = "txt") -> str:
    path = folder / f"words.{suffix}"
    path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
    return str(path)


def binary_file(
    folder: Path, *, promised: int = 20, cut: int = 0, feed: bytes = b"\n", words: list[str] = WORDS
) -> str:
    entries = b"".join(
        word.encode("latin-1" if word == "schön" else "utf-8").replace(b" ", b"_") + b" " + vector.tobytes() + feed
        for word, vector in zip(words, VECTORS, strict=True)
    )
    raw = f"{promised} 3\n".encode() + entries
    path = folder / "words.bin"
    path.write_bytes(raw[: len(raw) - cut])
    return str(path)


def check(name: str, words: list[str]) -> None:
    data = load_dataset(name)
    rows = np.argsort(drawn(words, None), kind="stable")
    assert (
        data.gallery_size == 16
        and data.ids == tuple(words[i] for i in rows)
        and data.labels is None
        and data.modality == "vector"
    )
    assert np.array_equal(data.samples, VECTORS[rows])  # type: ignore[arg-type]


def test_text_with_and_without_a_header(tmp_path: Path) -> None:
    check(text_file(tmp_path, LINES), WORDS)
    check(text_file(tmp_path, ["20 3", *(f"{line} \r" for line in LINES)], suffix="vec"), WORDS)


@pytest.mark.parametrize("feed", [b"\n", b""])
def test_word2vec_s_binary_form(tmp_path: Path, feed: bytes) -> None:
    check(binary_file(tmp_path, feed=feed), [word.replace(" ", "_") for word in WORDS])


def test_only_the_first_words(tmp_path: Path) -> None:
    name = text_file(tmp_path, [*LINES, "this is broken"])
    data = load_dataset(f"{name}#top=20")
    assert len(data) == 20 and data.title == "words.txt, first 20 words" and data.name == f"{name}#top=20"
    assert len(load_dataset(f"{binary_file(tmp_path)}#top=10")) == 10
    with pytest.raises(BadChoice, match="option top is 'all'"):
        load_dataset(f"{name}#top=all")
    with pytest.raises(UnknownName, match=r"'tip'. Did you mean 'top'"):
        load_dataset(f"{name}#tip=3")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"", "holds no words"),
        ([*LINES, "short 1 2"], "Line 21 .* is not a word and 3 numbers"),
        ([*LINES, "long 1 2 3 4"], "Line 21 .* is not a word and 3 numbers"),
        ([*LINES, " 1 2 3"], "Line 21 .* is not a word"),
        ([*LINES, ""], "Line 21 .* is not a word"),
        ([*LINES, "odd 1 2 x"], "Line 21 .* something else than numbers"),
        ([*LINES, "nan 1 2 nan"], "not finite at line 21"),
        ([*LINES, "far 1 2 1e99"], "not finite at line 21"),
        ([*LINES, LINES[0]], "the id 'the' at line 1 and again at line 21"),
        (["20 3", *LINES[:-1], LINES[0]], "the id 'the' at line 2 and again at line 21"),
        (["21 3", *LINES], "promises 21 words and has 20"),
        (["20 4", *LINES], "Line 2 .* is not a word and 4 numbers"),
        ("\n".join(LINES).encode() + b"\nsch\xf6n 1 2 3", r"not UTF-8 text \(line 21\)"),
        (LINES[:3], "has 3 samples"),
    ],
)
def test_broken_text_is_refused_by_its_line(tmp_path: Path, lines: list[str] | bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        load_dataset(text_file(tmp_path, lines))


def test_broken_binaries_are_refused_by_their_word(tmp_path: Path) -> None:
    for name, said in (
        (lambda: binary_file(tmp_path, cut=5), "promises 20 words and ends within word 20"),
        (lambda: binary_file(tmp_path, promised=30), "damaged at word 21, which has no letters"),
        (lambda: binary_file(tmp_path, words=["schön", *WORDS[1:]]), "not UTF-8 text at word 1"),
        (lambda: binary_file(tmp_path, words=["12", *WORDS[1:]]), "the id '12' at word 1 and again at word 2"),
        (lambda: binary_file(tmp_path, words=["x" * 3000, *WORDS[1:]]), "damaged at word 1"),
        (lambda: text_file(tmp_path, b"", suffix="bin"), "does not begin with the number of words"),
        (lambda: text_file(tmp_path, b"\xba\x16\x4f\x2f" + bytes(40), suffix="bin"), "is a fastText model"),
    ):
        with pytest.raises(BadFile, match=said):
            load_dataset(name())
