"""Reading files that others wrote: bounded, strict, never executing anything, and every refusal one sentence."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from numpy.lib.format import read_array
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from relviz import settings
from relviz.errors import BadChoice, BadFile, UnknownName, one_line

# What NumPy's and Python's readers raise on bytes that are not theirs.
_OF_PYTHON = (ValueError, OSError, EOFError, KeyError, RuntimeError, MemoryError, SyntaxError, tokenize.TokenError)
_DAMAGED = (*_OF_PYTHON, zlib.error, zipfile.BadZipFile, SafetensorError)


def split_name(name: str) -> tuple[Path, dict[str, str]]:
    """Path and options of `PATH#option=value&option=value`; a lone word after # is the option "key".

    >>> split_name("a/f.csv#text=question&label=kind")
    (PosixPath('a/f.csv'), {'text': 'question', 'label': 'kind'})
    >>> split_name("f.npz#effnet0")[1]
    {'key': 'effnet0'}
    """
    whole = _at_home(name)
    if "#" not in name or whole.exists():
        return whole, {}
    path, _, fragment = name.rpartition("#")
    pairs = (part.partition("=") for part in fragment.split("&") if part)
    options = {unquote(key) if sign else "key": unquote(value if sign else key) for key, sign, value in pairs}
    return _at_home(path), options


def _at_home(name: str) -> Path:
    return Path(name).expanduser() if name.startswith("~/") else Path(name)


def check_options(options: Iterable[str], known: tuple[str, ...], path: Path) -> None:
    """Refuse options that files of a kind do not have.

    Raises
    ------
    UnknownName: such an option.
    """
    for option in options:
        if option not in known:
            raise UnknownName(f"option of {path.suffix or 'folder'} data", option, known)


def whole_number(options: dict[str, str], name: str) -> int | None:
    """An option that counts something, or None where it is not given.

    Raises
    ------
    BadChoice: it is not a whole number of 1 or more.

    >>> whole_number({"top": "200"}, "top")
    200
    """
    value = options.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0):
        raise BadChoice(f"The option {name} is '{value[:40]}', which counts nothing.", "Give a whole number from 1 on.")
    return int(value)


def check_size(size: int, path: object) -> None:
    """Refuse data of more bytes than `settings.DATA_BYTES`.

    Raises
    ------
    BadFile: it is larger.
    """
    if size > settings.DATA_BYTES:
        limit = f"{settings.DATA_BYTES / 2**30:.3g} GiB"
        raise BadFile(f"{path} takes {size / 2**30:.3g} GiB unpacked, more than {limit}.", "Bring a part of it.")


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises
    ------
    BadFile: missing, empty, unreadable, or too large.
    """
    try:
        check_size(path.stat().st_size, path)
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions.") from error
    if not raw:
        raise BadFile(f"{path} is empty.", "Bring a file with samples in it.")
    return raw


def read_text(path: Path) -> str:
    """A UTF-8 file's text.

    Raises
    ------
    BadFile: as `read_bytes`, or it is not UTF-8.
    """
    raw = read_bytes(path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(f"{path} is not UTF-8 text (line {line}).", "Save it again as UTF-8.") from error


class Arrays:
    """The named arrays of an npz or safetensors file, or the one of an npy file, read one by one.

    Attributes
    ----------
    names: their names; that of an npy file's array is "X".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: Callable[[str], NDArray[Any]]
        try:
            check_size(path.stat().st_size, path)
            if path.stat().st_size == 0:
                raise BadFile(f"{path} is empty.", "Bring a file with arrays in it.")
            self.names = self._open()
        except _DAMAGED as error:
            raise self._damaged(error) from error
        if not self.names:
            raise BadFile(f"{path} holds no arrays.", "Bring a file with arrays in it.")

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return self._read(name)
        except _DAMAGED as error:
            raise self._damaged(error) from error

    def _open(self) -> tuple[str, ...]:
        if self.path.suffix == ".safetensors":
            self._read = self._from_safetensors
            with safe_open(self.path, framework="pt") as file:
                return tuple(file.keys())
        if self.path.suffix == ".npy":
            self._read = self._from_npy
            return ("X",)
        self._read = self._from_npz
        with zipfile.ZipFile(self.path) as archive:
            check_size(sum(entry.file_size for entry in archive.infolist()), self.path)
            return tuple(entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy"))

    def _from_npy(self, _: str) -> NDArray[Any]:
        with self.path.open("rb") as file:
            return read_array(file, allow_pickle=False)

    def _from_npz(self, name: str) -> NDArray[Any]:
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as file:
            return read_array(file, allow_pickle=False)

    def _from_safetensors(self, name: str) -> NDArray[Any]:
        with safe_open(self.path, framework="pt") as file:  # numpy knows no bfloat16, torch does
            tensor = file.get_tensor(name)
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()

    def _damaged(self, error: Exception) -> BadFile:
        if "Object arrays" in str(error):
            return BadFile(f"{self.path} holds Python objects, which are not read.", "Save plain numbers and words.")
        reason = one_line(error, most=120) or type(error).__name__
        return BadFile(f"{self.path} is damaged or no {self.path.suffix} file ({reason}).", "Write or copy it again.")
