"""One entry of the shelf file, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from relviz.errors import BadFile, UnknownName

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
ARRAY = "array:"  # what the source of an array begins with
_LONGEST = 1000  # characters of a word in the file
_MOST = {"size": 4096, "channels": 1024, "vectors": 10**6}
_LISTS = {"mean": float, "std": float, "classes": str, "data": str}
_OF_ARRAYS = {"source", "data", "licence"}  # all that an array can have


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One model of the shelf file; what is not named is left to the source, or to the network.

    Attributes
    ----------
    source: a model that relviz finds itself, such as "timm:resnet18"; or else
    builder: "package.module:function" that gives an `nn.Module`.
    checkpoint: the file of its weights.
    latent: the latent node, see `relviz.models.nodes`.
    size, channels, mean, std: of the images it reads, see `relviz.models.preprocessing`.
    vectors: for a network that reads no images but vectors, their width.
    classes: names of the classes of its head.
    data: of an array, the data sets whose samples its rows are.
    """

    source: str | None = None
    builder: str | None = None
    checkpoint: str | None = None
    latent: str | None = None
    size: int | None = None
    channels: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    vectors: int | None = None
    classes: tuple[str, ...] | None = None
    data: tuple[str, ...] | None = None
    licence: str | None = None
    folder: Path = Path()

    @property
    def facts(self) -> dict[str, Any]:
        """What the file says of it."""
        return {key: value for key in ENTRY_KEYS if (value := getattr(self, key)) is not None}

    def path(self) -> Path | None:
        """The checkpoint's path, from the folder of the shelf file."""
        return None if self.checkpoint is None else self.folder / Path(self.checkpoint).expanduser()


ENTRY_KEYS = tuple(part.name for part in fields(ModelEntry) if part.name != "folder")


def entry_of(name: str, facts: Any, *, folder: Path, file: object) -> ModelEntry:
    """A checked entry.

    Raises
    ------
    BadFile: an unknown key or one that its kind does not have, a value of another type, or not exactly one of
        builder and source.
    """
    where = f"The model '{shown(name)}' of {file}"
    if not isinstance(facts, dict) or not NAME.fullmatch(name):
        raise BadFile(f"{where} is no table of a plain name.", "Write [models.NAME], of letters, digits, . _ and -.")
    types = get_type_hints(ModelEntry)
    for key, value in facts.items():
        if key not in ENTRY_KEYS:
            raise BadFile(f"{where} has the unknown key '{shown(key)}'.", UnknownName("key", key, ENTRY_KEYS).hint)
        if key not in _LISTS:
            _check_value(where, key, value, types[key])
    lists = {key: _list(where, key, facts[key]) for key in _LISTS if key in facts}
    entry = ModelEntry(**{**facts, **lists, "folder": folder})
    if (entry.builder is None) == (entry.source is None):
        raise BadFile(
            f"{where} names not one of builder and source.", "Name one: the function, or timm:NAME and alike."
        )
    strange, kind = _unused(entry)
    if strange:
        raise BadFile(f"{where} has the key '{strange[0]}', for which {kind} has no use.", "Leave it out.")
    try:
        entry.path()
    except RuntimeError as error:  # nobody's home
        raise BadFile(f"{where} has a checkpoint that cannot be found ({reason_of(error)}).", "Correct it.") from error
    return entry


def _check_value(where: str, key: str, value: Any, kind: Any) -> None:
    """Refuses a value of another type, words that cannot be shown, and numbers out of range."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadFile(f"{where} has the {key} {shown(repr(value))}.", "Words stand in quotes, numbers are whole.")
    if isinstance(value, str) and not is_plain(value):
        raise BadFile(f"{where} has the {key} {shown(repr(value))}.", f"Write at most {_LONGEST} printable characters.")
    if isinstance(value, int) and value > _MOST[key]:
        raise BadFile(f"{where} has the {key} {shown(repr(value))}.", f"Choose {_MOST[key]:,} at most.")


def _unused(entry: ModelEntry) -> tuple[list[str], str]:
    """Keys that an entry's kind has no use for, and the kind in words."""
    if (entry.source or "").startswith(ARRAY):
        return sorted(entry.facts.keys() - _OF_ARRAYS), "an array"
    if entry.data is not None:
        return ["data"], "a network"
    return sorted(entry.facts.keys() & {"vectors"} if entry.source else ()), "a source that knows what it reads"


def _list(where: str, key: str, values: Any) -> tuple[Any, ...]:
    kind = _LISTS[key]
    given = values if isinstance(values, list | tuple) else [values]
    fits = [_fits(kind, one) for one in given]
    if not given or not all(fits):
        hint = "Write a list of numbers, for classes and data of words."
        raise BadFile(f"{where} has the {key} {shown(repr(values))}.", hint)
    return tuple(kind(one) for one in given)


def _fits(kind: type, one: Any) -> bool:
    if kind is str:
        return isinstance(one, str) and is_plain(one)
    return isinstance(one, float) or (isinstance(one, int) and not isinstance(one, bool) and abs(one) < 1e308)


def is_plain(word: str) -> bool:
    """Whether a word can stand in a list and in a sentence.

    >>> is_plain("a b"), is_plain("a\\nb")
    (True, False)
    """
    return len(word) <= _LONGEST and word.isprintable()


def shown(text: str, most: int = 64) -> str:
    """The beginning of a text as it can stand in a list and in a sentence, whatever characters it has.

    >>> shown("a\\nb")
    'a\ufffdb'
    """
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:most])


def reason_of(error: Exception) -> str:
    """What an error of the system says, as a part of a sentence.

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "x"))
    'No such file or directory'
    """
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
