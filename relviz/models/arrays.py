"""A matrix of a file as a model without encoder: `array:FILE#KEY`, its rows matched to samples by their ids.

`KEY` names one array, or the pair `KEY_train` and `KEY_test`. The array "ids" of the file, where there is one, names
its rows; otherwise row i belongs to the sample with the id i, as samples without ids of their own are called.
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
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.data.files import split_name
from relviz.errors import BadChoice, BadFile
from relviz.models.model import Model, fingerprint

PREFIX = "array:"


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


def array_model(name: str) -> Model:
    """The model of a name `array:FILE#KEY`.

    Raises
    ------
    BadFile, UnknownName: the file or the array in it.
    """
    data = load_dataset(name.removeprefix(PREFIX))
    if data.modality != "vector":
        raise BadFile(f"'{name}' are {data.modality} samples, not vectors.", "Name a matrix of n x d numbers.")
    matrix: Any = data.samples
    encoder = ArrayEncoder(matrix, data.ids)
    return Model(
        name=name,
        origin="an array",
        licence=data.licence,
        modality="any",
        width=matrix.shape[1],
        fingerprint=fingerprint({"matrix": torch.from_numpy(matrix)}, data.ids),
        decodes=False,
        why_not=lambda other: _misfit(encoder, other),
        load=lambda: encoder,
    )


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


def _misfit(encoder: ArrayEncoder, data: DataSet) -> str | None:
    lacking = [name for name in data.ids if name not in encoder.places]
    if not lacking:
        return None
    return f"has {len(encoder.ids)} rows, and none for the sample '{lacking[0][:40]}' of '{data.name}'"
