"""Whole answers on disk: an equal question, also of another visitor or after a restart, is answered without computing.

A key names what an answer depends on by its content: models by their fingerprints, data by its fingerprint.
It holds their names as well, because answers repeat them. What names stand for is looked up by the state of their files
(`os.stat`); only files that have changed are read.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
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
_VERSION = 4

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

_Speller = Callable[[Any, float], cache.Ingredient]  # of a field's value, and seconds as in `key`
_LOOKS = 5  # times as long as a look took, what it found is good for those who do not need the latest


@dataclass(frozen=True)
class _Meaning:
    """What a name was found to stand for, when, and how many seconds that took."""

    found: cache.Ingredient
    when: float
    took: float


_meanings: dict[tuple[str, str], _Meaning] = {}


def key(request: Request, *, age: float = 0.0) -> str:
    """Name of a request's answer: equal if, and only if, the answer must be.

    Parameters
    ----------
    age: seconds for which what names stand for may be remembered, so that many who look often cost little; longer
        where a look takes long, as in folders of very many files.

    Raises
    ------
    UnknownName: no such model or data set.
    """
    kind: Any = type(request)
    ingredients: dict[str, cache.Ingredient] = {
        "release": __version__,
        "answers": _VERSION,
        "request": _speller(kind)(request, age),
    }
    if isinstance(request, _OF_THE_WHOLE_SHELF):
        ingredients["shelf"] = _meaning("shelf", request.data, age)
    return cache.cache_key(type(request).__name__.lower(), **ingredients)


def read(request: Request, key: str) -> Any | None:
    """The answer stored under a request's key, or None."""
    stored = cache.read(key)
    if stored is None:
        return None
    try:
        return unpacked(stored.facts, _ANSWERS[type(request)], stored)
    except ValueError as error:
        _log.warning("the stored answer to %s is not understood (%s); computing it again", request, error)
        return None


def write(request: Request, key: str, answer: Any) -> None:
    """Store an answer under the request's key; one that cannot be stored costs time, never a result."""
    try:
        cache.write(key, *packed(answer, _ANSWERS[type(request)]))
    except ValueError as error:
        _log.warning("the answer to %s cannot be stored (%s)", request, error)


def _meaning(kind: str, name: str, age: float) -> cache.Ingredient:
    """What a name stands for, from memory where that is young enough."""
    now, known = time.monotonic(), _meanings.get((kind, name))
    if known is None or now - known.when >= (max(age, _LOOKS * known.took) if age else 0.0):
        found = _LOOK_UP[kind](name)
        known = _meanings[kind, name] = _Meaning(found, now, time.monotonic() - now)
    return known.found


_LOOK_UP: dict[str, Callable[[str], cache.Ingredient]] = {
    "model": lambda name: find(name).identity,
    "data": lambda name: load_dataset(name).identity,
    "shelf": lambda data: [[name, find(name).identity] for name in names_for(load_dataset(data))],
}


@functools.cache
def _speller(hint: Any) -> _Speller:
    """How a field becomes an ingredient: a model's or data set's name is followed by what it stands for."""
    if hint == ModelName:
        return lambda value, age: [value, _meaning("model", value, age)] if value else []
    if hint == DataName:
        return lambda value, age: [value, _meaning("data", value, age)]
    if get_origin(hint) is tuple:
        each = _speller(get_args(hint)[0])
        return lambda value, age: [each(item, age) for item in value]
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        parts = {part.name: _speller(hints[part.name]) for part in fields(hint)}
        return lambda value, age: {name: spell(getattr(value, name), age) for name, spell in parts.items()}
    if hint == MethodName or hint in (int, float, bool):
        return lambda value, _age: value
    raise TypeError(f"A request's field of {hint} must say what it names: see the types of relviz.service.requests.")
