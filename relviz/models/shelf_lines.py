"""What stands on the shelf file, each entry tried: the list of `relviz shelf`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from relviz.errors import BadFile, RelvizError
from relviz.models import arrays
from relviz.models.catalogue import from_folder, model_from
from relviz.models.model import FITTED, Model
from relviz.shelf_entries import ModelEntry
from relviz.shelf_file import data_entries, model_entries, paired_sets


@dataclass(frozen=True)
class ShelfLine:
    """One entry of the shelf file, and what keeps it from working, if anything does.

    Attributes
    ----------
    head: what its own head tells apart, or that one is fitted on the gallery of the data, in words.
    notes: as `Model.notes`.
    rows: of an array, whose samples its rows are and so for which data pages offer it; of others None.
    """

    name: str
    built_from: str
    checkpoint: str
    width: int | None
    head: str | None
    problem: str | None
    notes: tuple[str, ...] = ()
    rows: str | None = None


def lines() -> list[ShelfLine]:
    """Every model of the shelf file, each tried, and what is wrong about its data sets and groups."""
    others = {**data_entries(), **paired_sets()}
    wrong = [_line(name, entry) for name, entry in others.items() if isinstance(entry, BadFile)]
    return [_line(name, entry) for name, entry in model_entries().items()] + wrong


def _line(name: str, entry: ModelEntry | BadFile) -> ShelfLine:
    if isinstance(entry, BadFile):
        return ShelfLine(name, "", "", None, None, str(entry))
    line = partial(ShelfLine, name, entry.builder or entry.source or "", entry.checkpoint or "")
    try:
        model = model_from(name, entry)
        rows = arrays.binding(from_folder(entry), entry.data or ()) if model.modality == "any" else None
    except RelvizError as error:
        return line(None, None, str(error))
    return line(model.width, own_head(model), None, model.notes, rows)


def own_head(model: Model) -> str:
    """What a model's own head tells apart, in words."""
    if model.head is not None:
        return f"{model.head.weight.shape[1]} classes"
    return "none, a decoder" if model.decodes else f"none, {FITTED}"
