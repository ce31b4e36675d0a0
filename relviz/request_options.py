"""The options that the methods of a request declare, and how a user sets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relviz.core.anchors import STRATEGIES
from relviz.core.measures import MEASURES
from relviz.core.options import check_options
from relviz.core.projections import PROJECTIONS
from relviz.core.registry import Entry, Option
from relviz.errors import BadChoice, UnknownName
from relviz.requests import BY_HAND, Anchors, Compare, Layers
from relviz.types import OptionValue, SetOption

KINDS: dict[str, Mapping[str, Entry[Any]]] = {
    "strategy": STRATEGIES,
    "projection": PROJECTIONS,
    "measure": MEASURES,
}
_OF_ANCHORS = ("strategy", "projection")  # their options stand with the anchors
_NOUNS = {"strategy": "anchor strategy"}
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Declared:
    """One option of one method that a request uses; kind and method as in `SetOption`."""

    kind: str
    method: str
    option: Option

    @property
    def names(self) -> tuple[str, str, str]:
        """What a user may call it, the shortest first."""
        return self.option.name, f"{self.method}.{self.option.name}", f"{self.kind}.{self.method}.{self.option.name}"

    def set_to(self, value: object) -> SetOption:
        """The option with a value, or with what its text on a command line says.

        Raises
        ------
        UnknownName, BadChoice: no value of this option.
        """
        read = _read(self.option, value)
        check_options(KINDS[self.kind][self.method], {self.option.name: read})
        return SetOption(self.kind, self.method, self.option.name, read)


def declared(request: Any) -> list[Declared]:
    """Every option of every method that a request uses; none of a request that uses no method.

    Raises
    ------
    UnknownName: no such method.

    >>> from relviz.requests import Layers
    >>> [one.names for one in declared(Layers("svcca", "fmnist-cnn-s0", "fmnist-cnn-s1", "fashion-mnist"))]
    [('keep', 'svcca.keep', 'measure.svcca.keep')]
    """
    used = _USED.get(type(request), lambda _: iter(()))
    return [
        Declared(kind, method, option)
        for kind, method in dict.fromkeys(used(request))
        for option in _entry(kind, method).options
    ]


def with_options(request: Any, options: Mapping[str, object]) -> Any:
    """A request with options set by their names: NAME, METHOD.NAME or KIND.METHOD.NAME.

    Values may be text, as on a command line. One that is the default is not kept, and the order does not matter, so
    that requests are equal when they ask the same.

    Raises
    ------
    UnknownName, BadChoice: no method of the request has such an option, several have, or it has no such value.

    >>> from relviz.requests import Layers
    >>> asked = Layers("svcca", "fmnist-cnn-s0", "fmnist-cnn-s1", "fashion-mnist")
    >>> with_options(asked, {"keep": "0.9"}).options
    (SetOption(kind='measure', method='svcca', name='keep', value=0.9),)
    >>> with_options(asked, {"keep": "0.99"}) == asked
    True
    """
    if not options:
        return request
    known, found = declared(request), dict[Declared, SetOption]()
    for name, value in options.items():
        one = _named(name, known)
        if one in found:
            raise BadChoice(f"The option {one.names[1]} is set twice.", "Set it once.")
        found[one] = one.set_to(value)
    kept = sorted(
        (new for one, new in found.items() if new.value != one.option.default),
        key=lambda new: (new.kind, new.method, new.name),
    )
    return _carrying(request, kept)


def _carrying(request: Any, kept: list[SetOption]) -> Any:
    of_anchors = tuple(one for one in kept if one.kind in _OF_ANCHORS)
    rest = tuple(one for one in kept if one.kind not in _OF_ANCHORS)
    if of_anchors:
        request = replace(request, anchors=replace(request.anchors, options=of_anchors))
    return replace(request, options=rest) if rest else request


def _named(name: str, known: list[Declared]) -> Declared:
    found = [one for one in known if name in one.names]
    if not found:
        raise UnknownName("option of the methods asked for", name, _shortest(known))
    if len(found) > 1:
        raise BadChoice(f"Several methods have an option '{name}'.", f"Name one of {', '.join(_longer(name, found))}.")
    return found[0]


def _shortest(known: list[Declared]) -> list[str]:
    """The shortest name of each that no other has."""
    every = [name for one in known for name in one.names]
    return [next(name for name in one.names if every.count(name) == 1) for one in known]


def _longer(name: str, found: list[Declared]) -> list[str]:
    """Names of those that share a shorter one."""
    return [other for other in _shortest(found) if other != name]


def _read(option: Option, value: object) -> OptionValue:
    """What a text means as a value of this option; a whole number is one of a real option as well."""
    kind = type(option.default)
    try:
        if isinstance(value, str) and kind is not str:
            value = _TRUTH[value.lower()] if kind is bool else kind(value)
        if kind is float and type(value) is int:
            value = float(value)
    except (KeyError, ValueError):
        hint = f"Choose one like {str(option.default).lower()}."
        raise BadChoice(f"{option.name} = {value!r} is of the wrong kind.", hint) from None
    if isinstance(value, bool | int | float | str):
        return value
    raise BadChoice(f"{option.name} = {value!r} is of the wrong kind.", f"Choose one like {option.default!r}.")


def _entry(kind: str, method: str) -> Entry[Any]:
    if method not in KINDS[kind]:
        raise UnknownName(_NOUNS.get(kind, kind), method, KINDS[kind])
    return KINDS[kind][method]


_Used = Iterator[tuple[str, str]]  # kind and method


def _anchors(anchors: Anchors) -> _Used:
    if anchors.strategy != BY_HAND:
        yield "strategy", anchors.strategy
    yield "projection", anchors.projection


def _compare(request: Compare) -> _Used:
    yield from _anchors(request.anchors)
    yield from (("measure", name) for name in request.measures)


def _layers(request: Layers) -> _Used:
    yield "measure", request.measure


_USED: dict[type, Callable[[Any], _Used]] = {Compare: _compare, Layers: _layers}
