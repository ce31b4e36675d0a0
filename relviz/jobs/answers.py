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
from relviz.encoding import cache
from relviz.jobs.codec import layout, packed, unpacked
from relviz.models.catalogue import find, names_for
from relviz.plugins import versions
from relviz.requests import Request
from relviz.types import DataName, MethodName, ModelName, OptionValue, SampleName
from relviz.usecases.listing import rows
from relviz.usecases.table import use_case

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
    asked: Any = request  # one that depends on the whole shelf names its data
    kind: Any = type(request)
    ingredients: dict[str, cache.Ingredient] = {
        "release": __version__,
        "request": _speller(kind)(request, age),
        "answers": _version(kind),
    }
    if use_case(kind).whole_shelf:
        ingredients["shelf"] = _meaning("shelf", asked.data, age)
    return cache.cache_key(type(request).__name__.lower(), **ingredients)


def read(request: Request, key: str) -> Any | None:
    """The answer stored under a request's key, or None."""
    stored = cache.read(key)
    if stored is None:
        return None
    try:
        return unpacked(stored.facts, use_case(type(request)).answer, stored)
    except ValueError as error:
        _log.warning("the stored answer to %s is not understood (%s); computing it again", request, error)
        return None


def write(request: Request, key: str, answer: Any) -> None:
    """Store an answer under the request's key; one that cannot be stored costs time, never a result."""
    try:
        cache.write(key, *packed(answer, use_case(type(request)).answer))
    except ValueError as error:
        _log.warning("the answer to %s cannot be stored (%s)", request, error)


@functools.cache
def _version(kind: Any) -> str:
    """What else would be answered otherwise within one release.

    Fields of question and answer, what methods say, and the versions of the packages that add methods or sources.
    As a digest, worked out once: every key of every visitor holds it.
    """
    methods = [[row[part] for part in ("kind", "name", "what", "options", "detail")] for row in rows()]
    fields_of = {"question": layout(kind), "answer": layout(use_case(kind).answer)}
    return cache.cache_key("version", **fields_of, methods=methods, packages=versions())


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
    if hint in (MethodName, SampleName, int, float, bool, OptionValue):
        return lambda value, _age: value
    raise TypeError(f"A request's field of {hint} must say what it names: see the types of relviz.requests.")
