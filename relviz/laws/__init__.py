"""Laws that every registered method keeps: `relviz check-method` tries them on one, `tests/laws/` on all.

Each law is a function of a method's name that gives an `Outcome`; numbers in it are the worst that were met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relviz.core.anchors import STRATEGIES
from relviz.core.measures import MEASURES
from relviz.core.projections import PROJECTIONS
from relviz.core.registry import Entry
from relviz.core.translations import TRANSLATIONS
from relviz.errors import UnknownName
from relviz.laws import anchors, measures, projections, translations
from relviz.laws.docstrings import docstring_is_complete
from relviz.laws.outcome import Law, Outcome

_KINDS: dict[str, tuple[Mapping[str, Entry[Any]], dict[str, Law]]] = {
    "measure": (MEASURES, measures.LAWS),
    "projection": (PROJECTIONS, projections.LAWS),
    "translation": (TRANSLATIONS, translations.LAWS),
    "anchor strategy": (STRATEGIES, anchors.LAWS),
}


def check_method(name: str) -> Iterator[tuple[str, Outcome]]:
    """Every law of a method, and whether it is kept; of several methods of that name one after the other.

    Raises
    ------
    UnknownName: there is no measure, projection, translation or anchor strategy of that name.

    >>> [law for law, outcome in check_method("uniform") if not outcome.kept]
    []
    """
    found = [(kind, registry[name], laws) for kind, (registry, laws) in _KINDS.items() if name in registry]
    if not found:
        raise UnknownName("method", name, [known for registry, _ in _KINDS.values() for known in registry])
    for kind, entry, laws in found:
        for law, tried in laws.items():
            yield f"{kind}: {law}", _tried(tried, name)
        yield f"{kind}: its docstring is complete", docstring_is_complete(entry.function)


def _tried(law: Law, name: str) -> Outcome:
    try:
        return law(name)
    except Exception as error:  # noqa: BLE001 whatever the method raises breaks the law
        return Outcome(False, f"raises {error!r}")
