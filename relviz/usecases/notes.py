"""Use case: what is assumed about the models and the data of a question, and what looks wrong about them."""

from __future__ import annotations

from itertools import combinations

from torch import Tensor

from relviz.core.correspondence import Suspicion, suspect_rows
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.heads import head_notes
from relviz.encoding.spaces import fitting_model, part, space_of
from relviz.models.model import Model
from relviz.progress import Progress
from relviz.requests import Notes
from relviz.usecases.table import declare, one_stage


def take_notes(request: Notes, progress: Progress) -> list[str]:
    """Whole sentences, each once: of the data, then of each model and its head, then of their rows together.

    Raises
    ------
    UnknownName, BadChoice: no such model or data set, or they do not fit.
    """
    data, count = load_dataset(request.data), max(1, len(request.models))
    models = [fitting_model(name, data) for name in request.models]
    spaces = [
        space_of(model, data, part(progress, place / count, (place + 1) / count)) for place, model in enumerate(models)
    ]
    found = list(data.notes)
    for model, space in zip(models, spaces, strict=True):
        found += [*model.notes_for(data), *_of_head(model, data, space)]
    for one, other in combinations(zip(models, spaces, strict=True), 2):
        found += _of_rows(*one, *other, data)
    return list(dict.fromkeys(found))


declare(Notes, list[str], one_stage(take_notes))


def _of_head(model: Model, data: DataSet, space: Tensor) -> tuple[str, ...]:
    return () if data.labels is None else head_notes(model, data, space[data.gallery])


def _of_rows(a: Model, space_a: Tensor, b: Model, space_b: Tensor, data: DataSet) -> list[str]:
    """Networks encode the samples themselves; only the rows of arrays may belong to others."""
    if "any" not in (a.modality, b.modality) or a.fingerprint == b.fingerprint:
        return []
    labels = None if data.labels is None else data.label_tensor()
    suspicion = suspect_rows(space_a, space_b, labels)
    return [] if suspicion is None else [_suspicion(suspicion, a.name, b.name)]


def _suspicion(found: Suspicion, a: str, b: str) -> str:
    shared = f"'{a}' and '{b}' share no more neighbours than they do with the rows of one shuffled"
    if found == "within classes":
        return f"{shared} within the classes, although both predict the labels: their rows may not correspond."
    if found == "both":
        return f"{shared}: either they have nothing in common, or their rows do not correspond."
    lost, kept = (a, b) if found == "a" else (b, a)
    return f"{shared}, and only '{kept}' predicts the labels: the rows of '{lost}' may come in another order."
