"""Use case: what an anchor set is worth: how it covers two spaces, what its anchors say twice, which of them matter."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from relviz.core.anchors.diagnostics import condition_number, coverage, effective_rank, influence, redundancy
from relviz.core.measures import MEASURES, Pair
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.device import on_device
from relviz.encoding.spaces import anchor_rows, fitting_model, part, relative_space, space_of
from relviz.progress import Progress
from relviz.requests import Anchors, Request
from relviz.types import DataName, MeasureValue, ModelName
from relviz.usecases.table import declare, one_stage


@dataclass(frozen=True)
class DiagnoseAnchors(Request):
    """How well an anchor set serves the spaces of two models, or of one where B is empty."""

    a: ModelName
    b: ModelName
    data: DataName
    anchors: Anchors


@dataclass(frozen=True)
class SpaceDiagnosis:
    """The anchors in one model's absolute space, of width d; formulas in `relviz.core.anchors.diagnostics`.

    Attributes
    ----------
    coverage, radius: cosine distance of a held-out sample to its nearest anchor, the mean and the largest, in [0, 2].
    effective_rank, condition_number, redundancy: of the anchors' vectors as they are, whether projections centre or
        not.
    """

    model: str
    width: int
    coverage: float
    radius: float
    effective_rank: MeasureValue
    condition_number: MeasureValue
    redundancy: MeasureValue


@dataclass(frozen=True)
class AnchorDiagnosis:
    """Answer to `DiagnoseAnchors`.

    Attributes
    ----------
    ids: of the k anchors, in their order.
    spaces: of A, and of B where there is one.
    similarity: linear CKA of both relative spaces on the held-out rows, None of one space.
    influence: what each anchor adds to that; empty of one space.
    """

    ids: list[str]
    spaces: list[SpaceDiagnosis]
    similarity: MeasureValue | None
    influence: list[MeasureValue]


def diagnose_anchors(request: DiagnoseAnchors, progress: Progress) -> AnchorDiagnosis:
    """The anchors in either space, and what each of them adds to the similarity of the relative ones.

    Raises
    ------
    UnknownName, BadChoice: an unknown name or an impossible value.
    """
    data = load_dataset(request.data)
    names = [name for name in (request.a, request.b) if name]
    spaces = [
        space_of(fitting_model(name, data), data, part(progress, 0.4 * done, 0.4 * (done + 1)))
        for done, name in enumerate(names)
    ]
    rows = anchor_rows(data, request.anchors, progress)
    progress(0.8, "looking at the anchors")
    found = [_diagnosed(name, space, data, rows) for name, space in zip(names, spaces, strict=True)]
    ids = [data.ids[row] for row in rows.tolist()]
    if len(spaces) == 1:
        return AnchorDiagnosis(ids, found, None, [])
    progress(0.9, "leaving out one anchor after the other")
    return AnchorDiagnosis(ids, found, *_together(*(relative_space(x, data, request.anchors, rows) for x in spaces)))


declare(DiagnoseAnchors, AnchorDiagnosis, one_stage(diagnose_anchors))


def _diagnosed(name: str, space: Tensor, data: DataSet, rows: Tensor) -> SpaceDiagnosis:
    def diagnosed(where: torch.device) -> SpaceDiagnosis:
        held_out, chosen = space[data.held_out].to(where), space[data.gallery][rows].to(where)
        near = coverage(held_out, chosen)
        strengths = effective_rank(chosen), condition_number(chosen), redundancy(chosen)
        return SpaceDiagnosis(name, space.shape[1], near.mean, near.radius, *strengths)

    return on_device(diagnosed)


def _together(a: Tensor, b: Tensor) -> tuple[MeasureValue, list[MeasureValue]]:
    """The similarity of two relative spaces, and what each anchor adds to it."""
    return on_device(
        lambda where: (MEASURES["cka"](Pair(a.to(where), b.to(where), k=1)), influence(a.to(where), b.to(where)))
    )
