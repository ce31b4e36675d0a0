"""The shelf file `relviz.toml`: the models and data sets that a user added, by name.

    [models.resnet20]
    builder = "examples.cifar_resnet:resnet20"   # or source = "timm:resnet18"
    checkpoint = "resnet20.th"
    mean = [0.485, 0.456, 0.406]
    std = [0.229, 0.224, 0.225]

    [models.vectors]
    source = "array:vectors.npz#glove"
    data = "cifar"                               # the data set, or a list of them, whose samples the rows are

    [data.cifar]
    path = "cifar10_lossless.npz"

    [paired]  # data sets of the same items, by a name for each group
    sentences = ["sentences-en", "sentences-de"]

Paths are looked for from the folder of the file, builders there and in the working folder. Whoever writes it chooses
which code runs; nothing that is uploaded ever gets into it.
"""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from relviz import settings
from relviz.errors import BadChoice, BadFile, UnknownName
from relviz.stamps import stamp

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LISTS = {"mean": float, "std": float, "classes": str, "data": str}
_OF_ARRAYS = {"source", "data", "licence"}  # all that an array can have
ARRAY = "array:"  # what the source of an array begins with


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


def model_entries() -> dict[str, ModelEntry | BadFile]:
    """The models of the shelf file by name; for an entry that cannot be understood, why.

    Raises
    ------
    BadFile: the file cannot be read or is no TOML; the line is named.
    """
    file = settings.shelf_file()
    found: dict[str, ModelEntry | BadFile] = {}
    for name, facts in _table(file, "models").items():
        try:
            found[name] = entry_of(name, facts, folder=file.parent, file=file)
        except BadFile as error:
            found[name] = error
    return found


def data_paths() -> dict[str, str]:
    """Names of data sets and what `load_dataset` loads them by: a path from the file's folder, or another name.

    Raises
    ------
    BadFile: the file cannot be read, or an entry has no path.
    """
    file = settings.shelf_file()
    paths = {}
    for name, facts in _table(file, "data").items():
        path = facts.get("path") if isinstance(facts, dict) and facts.keys() == {"path"} else None
        if not isinstance(path, str):
            raise BadFile(f"The data set '{name}' of {file} has something else than a path.", 'Write path = "FILE".')
        whole = file.parent / Path(path).expanduser()
        exists = Path(str(whole).rpartition("#")[0] or whole).exists() or whole.exists()
        paths[name] = str(whole) if exists else path
    return paths


def paired_sets() -> dict[str, tuple[str, ...]]:
    """Names of groups and the data sets in each, whose samples correspond by their ids.

    Raises
    ------
    BadFile: the file cannot be read, or a group is no list of at least two unlike names.
    """
    file = settings.shelf_file()
    groups = _table(file, "paired")
    for name, sets in groups.items():
        plain = isinstance(sets, list) and all(isinstance(one, str) for one in sets)
        if not plain or len(set(sets)) != len(sets) or len(sets) < 2:
            hint = 'Write NAME = ["DATA-A", "DATA-B"], at least two names of data sets.'
            raise BadFile(f"The group '{name}' of {file} is no list of data sets.", hint)
    return {name: tuple(sets) for name, sets in groups.items()}


def entry_of(name: str, facts: Any, *, folder: Path, file: object) -> ModelEntry:
    """A checked entry.

    Raises
    ------
    BadFile: an unknown key or one that its kind does not have, a value of another type, or not exactly one of
        builder and source.
    """
    where = f"The model '{name}' of {file}"
    if not isinstance(facts, dict) or not _NAME.fullmatch(name):
        raise BadFile(f"{where} is no table of a plain name.", "Write [models.NAME], of letters, digits, . _ and -.")
    types = get_type_hints(ModelEntry)
    for key, value in facts.items():
        if key not in ENTRY_KEYS:
            raise BadFile(f"{where} has the unknown key '{key}'.", UnknownName("key", key, ENTRY_KEYS).hint)
        if key not in _LISTS and (not isinstance(value, types[key]) or isinstance(value, bool)):
            raise BadFile(f"{where} has the {key} {value!r}.", "Words stand in quotes, numbers are whole.")
    lists = {key: _list(where, key, facts[key]) for key in _LISTS if key in facts}
    entry = ModelEntry(**{**facts, **lists, "folder": folder})
    if (entry.builder is None) == (entry.source is None):
        raise BadFile(
            f"{where} names not one of builder and source.", "Name one: the function, or timm:NAME and alike."
        )
    strange, kind = _unused(entry)
    if strange:
        raise BadFile(f"{where} has the key '{strange[0]}', for which {kind} has no use.", "Leave it out.")
    return entry


def _unused(entry: ModelEntry) -> tuple[list[str], str]:
    """Keys that an entry's kind has no use for, and the kind in words."""
    if (entry.source or "").startswith(ARRAY):
        return sorted(entry.facts.keys() - _OF_ARRAYS), "an array"
    if entry.data is not None:
        return ["data"], "a network"
    return sorted(entry.facts.keys() & {"vectors"} if entry.source else ()), "a source that knows what it reads"


def add_model(name: str, entry: ModelEntry) -> Path:
    """Append an entry to the shelf file, which is made where there is none, and return its path.

    Raises
    ------
    BadChoice: the name is taken or not plain.
    BadFile: the file is damaged or cannot be written.
    """
    file = settings.shelf_file()
    check_free(name)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = [f"[models.{json.dumps(name)}]", *(f"{key} = {_written(value)}" for key, value in entry.facts.items())]
    text = before + ("\n" if before and not before.endswith("\n") else "") + ("\n" if before else "")
    text += "\n".join(lines) + "\n"
    if entry_of(name, tomllib.loads(text)["models"][name], folder=entry.folder, file=file) != entry:
        raise BadChoice(f"The model '{name}' has facts that {file} cannot hold.", "Leave odd characters out.")
    _replace(file, text)
    return file


def check_free(name: str) -> None:
    """Refuse a name that is taken or not plain.

    Raises
    ------
    BadChoice: it is; BadFile: the file is damaged.
    """
    file = settings.shelf_file()
    if not _NAME.fullmatch(name):
        raise BadChoice(f"'{name}' cannot name a model.", "Take letters, digits, . _ and -.")
    if name in _table(file, "models"):
        raise BadChoice(f"{file} has a model '{name}' already.", "Take another name, or remove the entry.")


def _table(file: Path, name: str) -> dict[str, Any]:
    written = stamp(file)
    if written is None:
        return {}
    try:
        found = _parsed(file, written).get(name, {})
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise BadFile(f"The shelf file {file} cannot be read: {reason}.", "Correct it, or remove it.") from error
    if not isinstance(found, dict):
        raise BadFile(f"The shelf file {file} has '{name}', which is no table.", f"Write [{name}.NAME].")
    return found


@lru_cache(maxsize=4)
def _parsed(file: Path, _stamp: object) -> dict[str, Any]:
    """The whole file; read again when its stamp has changed."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _list(where: str, key: str, values: Any) -> tuple[Any, ...]:
    kind = _LISTS[key]
    given = values if isinstance(values, list | tuple) else [values]
    fits = [isinstance(one, (int, float) if kind is float else str) and not isinstance(one, bool) for one in given]
    if not given or not all(fits):
        raise BadFile(f"{where} has the {key} {values!r}.", "Write a list of numbers, for classes and data of words.")
    return tuple(kind(one) for one in given)


def _written(value: Mapping[str, Any] | Any) -> str:
    """A TOML value; JSON's strings, numbers and lists are TOML's."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _replace(file: Path, text: str) -> None:
    try:
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
            new.write(text)
        Path(new.name).chmod(0o644)
        Path(new.name).replace(file)
    except OSError as error:
        raise BadFile(f"{file} cannot be written ({error.strerror}).", "Name another with RELVIZ_SHELF.") from error
