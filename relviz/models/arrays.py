"""A matrix of a file as a model without encoder: `array:FILE#KEY`, its rows matched to samples by their ids.

`KEY` names one array, or the pair `KEY_train` and `KEY_test`. The array "ids" of the file, where there is one, names
its rows. Without ids on either side, row i belongs to sample i of data that has exactly as many samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relviz.core.stitching import NotApplicable
from relviz.data.catalogue import load_dataset, source_of
from relviz.data.dataset import DataSet
from relviz.data.files import split_name
from relviz.errors import BadChoice, BadFile
from relviz.models.model import Model, fingerprint
from relviz.shelf_entries import ARRAY

PREFIX = ARRAY


@dataclass(frozen=True, eq=False)
class ArrayEncoder:
    """Rows of a matrix, by the ids of the samples that they belong to."""

    matrix: NDArray[np.float32] = field(repr=False)
    ids: tuple[str, ...] = field(repr=False)
    where: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @cached_property
    def places(self) -> dict[str, int]:
        """The row of every id."""
        return {name: row for row, name in enumerate(self.ids)}

    def encode(self, data: DataSet, rows: slice) -> Tensor:
        """Vectors of these samples, `b x d`."""
        found = [self.places[name] for name in data.ids[rows]]
        return torch.from_numpy(self.matrix[found]).to(self.where)

    def encode_nodes(self, data: DataSet, rows: slice, nodes: Sequence[str]) -> list[Tensor]:
        """Arrays have no nodes."""
        raise NotApplicable("an array has no nodes")

    def layers(self, data: DataSet) -> dict[str, int]:
        """Arrays have no layers."""
        return {}

    def decode(self, latent: Tensor) -> Tensor:
        """Arrays have no decoder."""
        raise NotApplicable("an array has no decoder")

    @property
    def nbytes(self) -> int:
        """Memory that the matrix takes."""
        return self.matrix.nbytes

    def to(self, where: torch.device) -> ArrayEncoder:
        """The same, giving its vectors to a device."""
        return ArrayEncoder(self.matrix, self.ids, where)


def array_model(array: str, *, name: str | None = None, belongs: tuple[str, ...] = ()) -> Model:
    """The model of a name `array:FILE#KEY`.

    Parameters
    ----------
    name: what to call it instead.
    belongs: names of the data sets whose samples its rows are.

    Raises
    ------
    BadFile, UnknownName: the file or the array in it.
    """
    data = _rows_of(array)
    matrix: Any = data.samples
    encoder = ArrayEncoder(matrix, data.ids)
    return Model(
        name=name or array,
        origin="an array",
        licence=data.licence,
        modality="any",
        width=matrix.shape[1],
        fingerprint=fingerprint({"matrix": torch.from_numpy(matrix)}, data.ids),
        decodes=False,
        why_not=lambda other: _misfit(data, other),
        load=lambda: encoder,
        assumed_for=lambda other: _assumption(name or array, data, other, belongs),
    )


def binding(array: str, belongs: tuple[str, ...]) -> str:
    """For which data pages offer an array, in words.

    Raises
    ------
    BadFile, UnknownName, BadChoice: there is no such array or data set, or its rows cannot be those of the data.
    """
    data = _rows_of(array)
    for other in belongs:
        reason = _misfit(data, load_dataset(other))
        if reason is not None:
            raise BadChoice(f"The array {reason}.", "Name the data set that it was made of as its data.")
    if belongs:
        return f"of {', '.join(belongs)}"
    named = "" if data.numbered else " and for data whose samples have the ids of its rows"
    return f'not bound: offered for data of the same file{named}; bind it to others by data = "NAME"'


def _rows_of(array: str) -> DataSet:
    data = load_dataset(array.removeprefix(PREFIX))
    if data.modality != "vector":
        raise BadFile(f"'{array}' are {data.modality} samples, not vectors.", "Name a matrix of n x d numbers.")
    return data


def labelled(model: str, labels: str) -> str:
    """Name of the data set of an array's rows with labels `FILE#KEY` of the same file.

    Raises
    ------
    BadChoice: the model is no array with a key, or the labels lie in another file.

    >>> labelled("array:f.npz#effnet0", "f.npz#y")
    'f.npz#key=effnet0&labels=y'
    """
    path, options = split_name(model.removeprefix(PREFIX))
    file, chosen = split_name(labels)
    if not (model.startswith(PREFIX) and options.keys() == chosen.keys() == {"key"} and file == path):
        raise BadChoice(
            f"The labels '{labels}' do not lie beside the model '{model}'.",
            "Give model A as array:FILE#KEY and the labels as FILE#KEY of the same file.",
        )
    return f"{path}#key={quote(options['key'])}&labels={quote(chosen['key'])}"


def _misfit(array: DataSet, data: DataSet) -> str | None:
    """Why the rows of an array cannot be those samples, as `Model.why_not`."""
    if array.numbered and data.numbered and array.rows != data.rows:
        return f"has {array.rows} rows and '{data.name}' {data.rows}, and neither names them"
    if array.numbered and not data.numbered:
        return f"does not name its rows, and '{data.name}' names its samples; give both ids, or neither"
    known, held_out = set(array.ids), set(array.ids[array.held_out])
    lacking = next((name for name in data.ids if name not in known), None)
    if lacking is not None:
        return f"has {array.rows} rows, and none for the sample '{lacking[:40]}' of '{data.name}'"
    if array.numbered and array.divided and data.divided and not held_out.issuperset(data.ids[data.held_out]):
        return f"holds out other rows than '{data.name}', and neither names them"
    return None


def _assumption(name: str, array: DataSet, data: DataSet, belongs: tuple[str, ...]) -> str | None:
    """What is assumed where nothing says that an array belongs to the data, as `Model.assumed_for`."""
    source = source_of(data.name)
    if source in (source_of(array.name), *map(source_of, belongs)) or not (array.numbered or data.numbered):
        return None
    told, but = f"Rows of '{name}' are taken to be the samples of '{data.name}'", "give both ids if that is wrong."
    if array.numbered:
        return f"{told} in the order of the file, because neither names them; {but}"
    return f"{told} that have its ids as row numbers, because '{data.name}' names none; {but}"
