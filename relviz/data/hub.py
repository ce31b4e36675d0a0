"""The papers' text sets by name, through the package `datasets`: from its cache, downloaded only when allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from relviz.data.dataset import DataSet
from relviz.data.tables import Table, from_table
from relviz.errors import MissingData, one_line
from relviz.packages import needed

_REQUIREMENT = "datasets"


@dataclass(frozen=True)
class HubSet:
    """One text set of the hub.

    Attributes
    ----------
    repository, configuration: what the hub calls it.
    text, label: its columns.
    revision: a branch, where not the main one.
    """

    repository: str
    text: str
    label: str
    configuration: str = "default"
    revision: str | None = None


def load(one: HubSet, *, name: str) -> DataSet:
    """The set from the cache of `datasets`, without any network.

    Raises
    ------
    MissingPackage: `datasets` is not installed.
    MissingData: its cache does not have the set.
    BadFile: a text or label is missing.
    """
    return _arranged(_cached(one, name), one, name)


def fetch(one: HubSet, *, name: str) -> None:
    """Download the set to the cache of `datasets`.

    Raises
    ------
    MissingPackage, MissingData: `datasets` is not installed, or the download failed.
    """
    library = needed("datasets", requirement=_REQUIREMENT, purpose="Text sets by name")
    try:
        library.load_dataset(one.repository, one.configuration, revision=one.revision)
    except (OSError, ValueError, RuntimeError, library.exceptions.DatasetsError) as error:
        reason = one_line(error)
        hint = f"Bring it as a file: {name}.csv, .jsonl or .parquet in the folder that RELVIZ_DATA names."
        raise MissingData(f"The text set '{name}' could not be downloaded ({reason}).", hint) from error


def _cached(one: HubSet, name: str) -> Any:
    library = needed("datasets", requirement=_REQUIREMENT, purpose="Text sets by name")
    # What `load_dataset` falls back on without a network; asked directly, it cannot reach for one.
    builder = needed("datasets.packaged_modules.cache.cache", requirement=_REQUIREMENT, purpose="Text sets by name")
    try:
        cache = builder.Cache(
            dataset_name=one.repository.split("/")[-1],
            repo_id=one.repository,
            config_name=one.configuration,
            version="auto",
            hash="auto",
        )
        cache.download_and_prepare()
        return cache.as_dataset()
    except (OSError, ValueError, LookupError, library.exceptions.DatasetsError) as error:
        raise MissingData(
            f"The text set '{name}' is not on this machine.",
            f"Put {name}.csv, .jsonl or .parquet into the folder that RELVIZ_DATA names, "
            "or allow the download with RELVIZ_DOWNLOAD=1.",
        ) from error


def _arranged(parts: Any, one: HubSet, name: str) -> DataSet:
    """Both parts as one table, its classes called as the hub calls them."""
    chosen = [(part, parts[part]) for part in ("train", "test")]  # any other part has no labels, or is not used
    names = getattr(chosen[0][1].features[one.label], "names", None)
    labels = [label for _, part in chosen for label in part[one.label]]
    columns: dict[str, Sequence[Any] | NDArray[Any]] = {
        "text": [text for _, part in chosen for text in part[one.text]],
        "label": labels,
        "split": [word for word, part in chosen for _ in range(len(part))],
    }
    if names:
        columns["label_name"] = [names[label] if label >= 0 else "" for label in labels]
    return from_table(Table(Path(one.repository), columns, lambda i: f"row {i}"), {}, name=name)
