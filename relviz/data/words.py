"""Word vectors: GloVe and fastText text files, word2vec text and binary files. The ids are the words.

`FILE.txt#top=20000` reads only the first 20,000 words, which such files hold in order of frequency.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from relviz.data.arranging import arranged
from relviz.data.dataset import DataSet
from relviz.data.files import check_options, check_size, whole_number
from relviz.errors import BadFile

SUFFIXES = (".txt", ".vec", ".bin")
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")  # what fastText's own models begin with
_LONGEST_WORD = 2000  # bytes; a longer one means that the file is none of word vectors

Entries = Iterator[tuple[str, NDArray[np.float32]]]


def load(path: Path, options: dict[str, str], *, name: str) -> DataSet:
    """The words of a file and their vectors.

    Raises
    ------
    BadFile: missing, empty, damaged, not UTF-8, a word twice, vectors of unlike length; the line or word is named.
    UnknownName, BadChoice: no such option, or not its value.
    """
    check_options(options, ("top",), path)
    top = whole_number(options, "top")
    binary = path.suffix == ".bin"
    words, vectors, size = list[str](), list[NDArray[np.float32]](), 0
    try:
        with path.open("rb") as file:
            for word, vector in _binary(file, path, top) if binary else _lines(file, path, top):
                words.append(word)
                vectors.append(vector)
                size += vector.nbytes
                check_size(size, path)
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions.") from error
    if not words:
        raise BadFile(f"{path} holds no words.", "Bring a file of word vectors.")
    header = 0 if binary or _promise(path) is None else 1
    return arranged(
        np.stack(vectors),
        name=name,
        file=path,
        title=path.name if top is None else f"{path.name}, first {len(words):,} words",
        ids=words,
        place=lambda i: f"word {i + 1}" if binary else f"line {i + 1 + header}",
    )


def _promise(path: Path) -> tuple[int, int] | None:
    """Words and width that the first line promises, or None where it is already a word."""
    with path.open("rb") as file:
        fields = file.readline(_LONGEST_WORD).split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        return int(fields[0]), int(fields[1])
    return None


def _lines(file: BinaryIO, path: Path, top: int | None) -> Entries:
    promised = _promise(path)
    width = promised[1] if promised else 0
    if promised:
        file.readline()
    read = 0
    for number, raw in enumerate(file, start=2 if promised else 1):
        if read == top:
            return
        word, vector = _entry(raw, path, number, width)
        width = len(vector)
        read += 1
        yield word, vector
    if promised and read != promised[0]:
        raise BadFile(f"{path} promises {promised[0]} words and has {read}.", "Copy or unpack it again.")


def _entry(raw: bytes, path: Path, number: int, width: int) -> tuple[str, NDArray[np.float32]]:
    """Word and vector of a line; a word may hold spaces, so numbers are counted from the end."""
    try:
        line = raw.decode().rstrip("\r\n ")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text (line {number}).", "Save it again as UTF-8.") from error
    word, *numbers = line.rsplit(" ", width) if width else line.split(" ")
    fits = bool(word and numbers) and (not width or len(numbers) == width)
    if not fits or (width and _is_number(word.split(" ")[-1], word)):
        raise BadFile(
            f"Line {number} of {path} is not a word and {width or 'its'} numbers.",
            "All lines have one form: a word, then its vector, separated by spaces.",
        )
    try:
        with np.errstate(over="ignore"):
            return word, np.array(list(map(float, numbers)), np.float32)
    except ValueError as error:
        raise BadFile(f"Line {number} of {path} has something else than numbers ({error}).", "Correct it.") from error


def _is_number(last: str, word: str) -> bool:
    """Whether what stands before the vector ends in a number of its own, so that the line is too long."""
    if last == word:  # words may be numbers
        return False
    try:
        float(last)
    except ValueError:
        return False
    return True


def _binary(file: BinaryIO, path: Path, top: int | None) -> Entries:
    if file.read(4) == _FASTTEXT_MODEL:
        raise BadFile(f"{path} is a fastText model, not a file of vectors.", "Bring the .vec file that belongs to it.")
    file.seek(0)
    promised = _promise(path)
    if promised is None or not promised[1]:
        raise BadFile(f"{path} does not begin with the number of words and the width.", "Bring a word2vec binary file.")
    file.readline()
    count, width = promised
    check_size(4 * width, path)
    for i in range(count if top is None else min(count, top)):
        word = _word(file, path, i)
        raw = file.read(4 * width)
        if len(raw) < 4 * width:
            raise BadFile(f"{path} promises {count} words and ends within word {i + 1}.", "Copy or unpack it again.")
        yield word, np.frombuffer(raw, "<f4").astype(np.float32)


def _word(file: BinaryIO, path: Path, i: int) -> str:
    """The bytes up to the next space; some writers put a line feed before a word."""
    letters = bytearray()
    while (letter := file.read(1)) not in (b" ", b""):
        letters += letter
        if len(letters) > _LONGEST_WORD:
            raise BadFile(f"{path} is damaged at word {i + 1}.", "Copy or unpack it again.")
    try:
        word = letters.decode().lstrip("\n")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text at word {i + 1}.", "Save its words as UTF-8.") from error
    if not word:
        raise BadFile(f"{path} is damaged at word {i + 1}, which has no letters.", "Copy or unpack it again.")
    return word
