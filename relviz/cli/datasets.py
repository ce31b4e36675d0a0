"""`relviz datasets`: the data sets on offer."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.cli.options import add_json
from relviz.cli.terminal import show
from relviz.errors import RelvizError


def add_parser(commands: Any) -> None:
    """The options of the command."""
    datasets = commands.add_parser("datasets", help="list the data sets")
    datasets.set_defaults(command=_datasets)
    add_json(datasets)


def _datasets(chosen: argparse.Namespace) -> None:
    from relviz.data.catalogue import DATASETS
    from relviz.shelf_file import data_entries

    show([_data_row(name) for name in dict.fromkeys([*DATASETS, *data_entries()])], chosen.json)


def _data_row(name: str) -> dict[str, Any]:
    from relviz.data.catalogue import load_dataset

    facts = ("title", "modality", "samples", "gallery", "held_out", "classes", "licence", "fingerprint", "problem")
    row: dict[str, Any] = {"name": name, **dict.fromkeys(facts)}
    try:
        data = load_dataset(name)
    except RelvizError as error:
        return row | {"problem": str(error)}
    row |= {"title": data.title, "modality": data.modality, "samples": len(data), "gallery": data.gallery_size}
    row |= {"held_out": len(data) - data.gallery_size, "classes": len(data.class_names)}
    return row | {"licence": data.licence, "fingerprint": data.fingerprint}
