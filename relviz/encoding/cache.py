"""Results on disk: content-addressed safetensors. Equal ingredients, equal file; anything unreadable is a miss.

An entry is written to a temporary file and renamed when whole, so that a reader meets all of it or nothing, whoever is
killed when. Nothing is synced: what a power cut tears is a miss. Any number of processes may read, write and remove at
once; the worst that a race of theirs can do is to lose an entry, which costs time, never a result.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from relviz import settings
from relviz.encoding.cache_entry import SUFFIX, UNREADABLE, Entry, check_head, closed, key_digest, opened

if TYPE_CHECKING:
    from torch import Tensor

Ingredient: TypeAlias = "str | int | float | bool | Sequence[Ingredient] | Mapping[str, Ingredient] | None"

_TEMPORARY = ".tmp"
_KIND = re.compile("[a-z]+")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Share:
    """What the entries of one kind take."""

    entries: int
    bytes: int


@dataclass(frozen=True)
class CacheInfo:
    """What lies in the cache.

    Attributes
    ----------
    cap: bytes that all entries may take.
    kinds: each kind's share, the largest first.
    off: why results are not kept, or None when they are.
    """

    folder: str
    entries: int
    bytes: int
    cap: int
    kinds: dict[str, Share]
    off: str | None


@dataclass(frozen=True)
class _StoredFile:
    name: str
    size: int
    used: int  # nanoseconds


def cache_key(kind: str, **ingredients: Ingredient) -> str:
    """Name of a result: its kind (lower-case letters) and the sha256 of version, kind and ingredients.

    Ingredients of other types differ even when they compare equal; their order does not matter.

    >>> cache_key("space", model="a", data="b") == cache_key("space", data="b", model="a")
    True
    >>> len({cache_key("space", model=model) for model in (1, 1.0, "1", True, None, [1])})
    6
    """
    if not _KIND.fullmatch(kind):
        raise ValueError(f"A kind of result is spelt in lower-case letters, not '{kind}'.")
    return f"{kind}-{key_digest(kind, ingredients)}"


def read(key: str) -> Entry | None:
    """The stored arrays and facts, or None."""
    path = _folder() / f"{key}{SUFFIX}"
    try:
        with path.open("rb") as file:
            raw = file.read()
            with suppress(OSError):  # a folder that can only be read forgets what was used last, and serves on
                os.utime(file.fileno())
        return opened(raw, key)
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        _discard(path, error)
    except OSError as error:  # too many open files, a failing disk: no reason to remove what may be whole
        _log.warning("cache entry %s cannot be read (%s); computing it again", path, error)
    except UNREADABLE as error:
        _discard(path, error)
    return None


def write(key: str, arrays: Mapping[str, Tensor], facts: Any = None) -> None:
    """Store arrays, and facts that JSON can hold; a cache that cannot be written to costs time, never a result."""
    raw = closed(key, arrays, facts)
    if len(raw) > settings.CACHE_BYTES:
        _log.warning("a result of %d bytes is larger than the whole cache may be; it is not kept", len(raw))
        return
    try:
        folder = _made_folder()
        with _temporary(folder, raw) as path:
            path.replace(folder / f"{key}{SUFFIX}")
        _evict()
    except OSError as error:
        _log.warning("the result could not be cached in %s (%s)", _folder(), error)


def remove(key: str) -> None:
    """Remove an entry that is of no more use."""
    _remove(_folder() / f"{key}{SUFFIX}")


def info() -> CacheInfo:
    """What lies in the cache, and whether results are kept."""
    stored = _stored_files()
    sizes: dict[str, list[int]] = {}
    for entry in stored:
        sizes.setdefault(entry.name.partition("-")[0], []).append(entry.size)
    shares = sorted(((kind, Share(len(of), sum(of))) for kind, of in sizes.items()), key=lambda pair: -pair[1].bytes)
    total = sum(entry.size for entry in stored)
    return CacheInfo(str(_folder()), len(stored), total, settings.CACHE_BYTES, dict(shares), _why_off())


def clear() -> None:
    """Remove every entry, and what killed writers left behind."""
    _sweep_temporaries()
    for entry in _stored_files():
        _remove(_folder() / entry.name)


def sweep() -> None:
    """Put the folder in order, as a server does when it starts.

    Removed are temporary files of dead writers, entries that are cut short or that this version did not write, and
    the entries used longest ago beyond `settings.CACHE_BYTES`. Other files in the folder are not touched. Only the
    heads of the files are looked at: `read` checks every byte.
    """
    _sweep_temporaries()
    for entry in _stored_files():
        path = _folder() / entry.name
        try:
            check_head(path)
        except FileNotFoundError:
            continue
        except (IsADirectoryError, *UNREADABLE) as error:
            _discard(path, error)
        except OSError as error:
            _log.warning("cache entry %s cannot be read (%s)", path, error)
    _evict()


def _folder() -> Path:
    # A folder of its own: the user may name one that holds other things, and it keeps its files and its rights.
    return settings.cache_dir() / "relviz-results"


def _made_folder() -> Path:
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = folder.stat().st_mode
    if mode & 0o077:
        folder.chmod(mode & 0o700)
    return folder


@contextmanager
def _temporary(folder: Path, raw: bytes) -> Iterator[Path]:
    """A temporary file with these bytes, locked as long as its writer lives, and gone afterwards unless renamed."""
    while True:
        descriptor, name = tempfile.mkstemp(_TEMPORARY, dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not os.fstat(descriptor).st_nlink:  # a sweep took it for abandoned before it was locked
                continue
            try:
                file.write(raw)
                file.flush()
                yield Path(name)
            finally:
                Path(name).unlink(missing_ok=True)
        return


def _sweep_temporaries() -> None:
    for path in _folder().glob(f"*{_TEMPORARY}"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its writer lives
            path.unlink()


def _stored_files() -> list[_StoredFile]:
    found = []
    with suppress(OSError), os.scandir(_folder()) as files:
        for file in files:
            with suppress(OSError):  # another process has just removed it
                facts = file.stat(follow_symlinks=False)
                if file.name.endswith(SUFFIX):
                    found.append(_StoredFile(file.name, facts.st_size, facts.st_mtime_ns))
    return found


def _evict() -> None:
    """Remove what was used longest ago until the rest is within the cap."""
    stored = sorted(_stored_files(), key=lambda entry: entry.used)
    excess = sum(entry.size for entry in stored) - settings.CACHE_BYTES
    for entry in stored:
        if excess <= 0:
            return
        _remove(_folder() / entry.name)
        excess -= entry.size


def _discard(path: Path, why: Exception) -> None:
    _log.warning("cache entry %s is unreadable (%s) and removed", path, why)
    _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):  # gone already, not ours to remove, or a folder that holds something
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _why_off() -> str | None:
    """Why a small result could not be kept now, or None."""
    try:
        with _temporary(_made_folder(), bytes(4096)):
            return None
    except OSError as error:
        return f"{_folder()} cannot be written: {error.strerror or error}"
