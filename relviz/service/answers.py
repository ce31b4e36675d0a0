"""Whole answers on disk: an equal question, also of another visitor or after a restart, is answered without computing.

A key names what an answer depends on by its content: models by their fingerprints, data by its fingerprint.
It holds their names as well, because answers repeat them.
"""

from __future__ import annotations

import logging
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from relviz import __version__
from relviz.data.catalogue import load_dataset
from relviz.models.catalogue import find, names_for
from relviz.service import cache
from relviz.service.codec import packed, unpacked
from relviz.service.compare import Comparison, LayerBoard, SimilarityBoard
from relviz.service.equaliser import Equalised
from relviz.service.explain import Explanation, Reading
from relviz.service.maps import FourMaps
from relviz.service.paired import Retrieval, RetrievalBoard
from relviz.service.reconstruction import Reconstruction
from relviz.service.requests import (
    Compare,
    DataName,
    Equalise,
    Explain,
    Layers,
    Maps,
    MethodName,
    ModelName,
    Notes,
    PairBoard,
    Pairs,
    Readings,
    Reconstruct,
    Request,
    Rescale,
    Similarity,
    Stitch,
)
from relviz.service.scale import ScaleCurve
from relviz.service.stitching import StitchedCell

# Raised by hand whenever an equal request would now be answered otherwise: a method, a default or a registry changed,
# or the fields of an answer. A release starts afresh in any case.
_VERSION = 3

_ANSWERS: dict[type, Any] = {
    Compare: Comparison,
    Similarity: SimilarityBoard,
    Layers: LayerBoard,
    Stitch: list[StitchedCell],
    Pairs: Retrieval,
    PairBoard: RetrievalBoard,
    Reconstruct: Reconstruction,
    Equalise: Equalised,
    Rescale: list[ScaleCurve],
    Maps: FourMaps,
    Readings: Reading,
    Explain: Explanation,
    Notes: list[str],
}
_OF_THE_WHOLE_SHELF = (Similarity,)  # their answers depend on every model that fits the data, named or not
_log = logging.getLogger(__name__)


def key(request: Request) -> str:
    """Name of a request's answer: equal if, and only if, the answer must be.

    Raises
    ------
    UnknownName: no such model or data set.
    """
    ingredients: dict[str, cache.Ingredient] = {
        "release": __version__,
        "answers": _VERSION,
        "request": _spelt(request, type(request)),
    }
    if isinstance(request, _OF_THE_WHOLE_SHELF):
        ingredients["shelf"] = [[name, find(name).fingerprint] for name in names_for(load_dataset(request.data))]
    return cache.cache_key(type(request).__name__.lower(), **ingredients)


def read(request: Request) -> Any | None:
    """The stored answer, or None.

    Raises
    ------
    UnknownName: no such model or data set.
    """
    stored = cache.read(key(request))
    if stored is None:
        return None
    try:
        return unpacked(stored.facts, _ANSWERS[type(request)], stored)
    except ValueError as error:
        _log.warning("the stored answer to %s is not understood (%s); computing it again", request, error)
        return None


def write(request: Request, answer: Any) -> None:
    """Store an answer; one that cannot be stored costs time, never a result.

    Raises
    ------
    UnknownName: no such model or data set.
    """
    try:
        cache.write(key(request), *packed(answer, _ANSWERS[type(request)]))
    except ValueError as error:
        _log.warning("the answer to %s cannot be stored (%s)", request, error)


def _spelt(value: Any, hint: Any) -> cache.Ingredient:
    """A field as an ingredient: a model's or data set's name is followed by what it stands for."""
    if hint == ModelName:
        return [value, find(value).fingerprint] if value else []
    if hint == DataName:
        return [value, load_dataset(value).fingerprint]
    if get_origin(hint) is tuple:
        return [_spelt(item, get_args(hint)[0]) for item in value]
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return {field.name: _spelt(getattr(value, field.name), hints[field.name]) for field in fields(hint)}
    if hint == MethodName or hint in (int, float, bool):
        return value
    raise TypeError(f"A request's field of {hint} must say what it names: see the types of relviz.service.requests.")
