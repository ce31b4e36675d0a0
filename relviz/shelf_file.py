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
import tempfile
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from relviz import settings
from relviz.errors import BadChoice, BadFile
from relviz.shelf_entries import NAME, ModelEntry, entry_of, is_plain, reason_of, shown
from relviz.stamps import stamp

_LONGEST = 256  # characters of a name


def model_entries() -> dict[str, ModelEntry | BadFile]:
    """The models of the shelf file by name; for an entry that cannot be understood, why.

    Why the file as a whole cannot be read, or one of its tables, stands under the name of the file.
    """
    file = settings.shelf_file()
    found: dict[str, ModelEntry | BadFile] = {}
    try:
        for name in ("models", "data", "paired"):
            _table(file, name)
    except BadFile as error:
        found[file.name] = error
    for name, facts in _table_or_nothing(file, "models").items():
        try:
            found[name] = entry_of(name, facts, folder=file.parent, file=file.name)
        except BadFile as error:
            found[shown(name)] = error
    return found


def data_entries() -> dict[str, str | BadFile]:
    """Names of data sets and what `load_dataset` loads them by: a path from the file's folder, or another name.

    For an entry that cannot be understood, why; nothing where the whole file cannot be.
    """
    file = settings.shelf_file()
    return {
        shown(name, _LONGEST): _data_path(file, name, facts) for name, facts in _table_or_nothing(file, "data").items()
    }


def _data_path(file: Path, name: str, facts: Any) -> str | BadFile:
    path = facts.get("path") if isinstance(facts, dict) and facts.keys() == {"path"} else None
    where = f"The data set '{shown(name)}' of {file.name}"
    if not isinstance(path, str) or not is_plain(path):
        return BadFile(f"{where} has something else than a path.", 'Write path = "FILE".')
    try:
        whole = file.parent / Path(path).expanduser()
        exists = Path(str(whole).rpartition("#")[0] or whole).exists() or whole.exists()
    except (OSError, RuntimeError) as error:  # too long, a circle of links, or nobody's home
        return BadFile(f"{where} has a path that cannot be followed ({reason_of(error)}).", "Correct it.")
    return str(whole) if exists else path


def paired_sets() -> dict[str, tuple[str, ...] | BadFile]:
    """Names of groups and the data sets in each, whose samples correspond by their ids.

    For a group that is no list of at least two unlike names, why; nothing where the whole file cannot be understood.
    """
    file = settings.shelf_file()
    groups = _table_or_nothing(file, "paired")
    return {shown(name, _LONGEST): _group(file, name, sets) for name, sets in groups.items()}


def _group(file: Path, name: str, sets: Any) -> tuple[str, ...] | BadFile:
    plain = isinstance(sets, list) and all(isinstance(one, str) and is_plain(one) for one in sets)
    if plain and len(set(sets)) == len(sets) >= 2:
        return tuple(sets)
    hint = 'Write NAME = ["DATA-A", "DATA-B"], at least two names of data sets.'
    return BadFile(f"The group '{shown(name)}' of {file.name} is no list of data sets.", hint)


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
    if not NAME.fullmatch(name):
        raise BadChoice(f"'{name}' cannot name a model.", "Take letters, digits, . _ and -.")
    if name in _table(file, "models"):
        raise BadChoice(f"{file} has a model '{name}' already.", "Take another name, or remove the entry.")


def _table(file: Path, name: str) -> dict[str, Any]:
    written = stamp(file)
    if written is None:
        return {}
    try:
        found = _parsed(file, written).get(name, {})
    except (ValueError, OSError, RecursionError) as error:
        reason = shown(reason_of(error), 200)
        raise BadFile(f"The shelf file {file.name} cannot be read: {reason}.", "Correct it, or remove it.") from error
    if not isinstance(found, dict):
        raise BadFile(f"The shelf file {file.name} has '{name}', which is no table.", f"Write [{name}.NAME].")
    return found


def _table_or_nothing(file: Path, name: str) -> dict[str, Any]:
    """A table of the file, or none of it where it cannot be read, which `model_entries` tells."""
    try:
        return _table(file, name)
    except BadFile:
        return {}


@lru_cache(maxsize=4)
def _parsed(file: Path, _stamp: object) -> dict[str, Any]:
    """The whole file; read again when its stamp has changed."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


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
