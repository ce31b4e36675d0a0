"""What every registered method says about itself; pages, command line, docs and test battery are built from it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from threading import RLock
from typing import Any, ClassVar, Generic, TypeVar

from relviz.plugins import Plugin, leave_out, plugins

E = TypeVar("E")
F = TypeVar("F", bound=Callable[..., Any])

# Transformations of a space that a method may be invariant to; the law battery tries every method on all of them.
TRANSFORMATIONS = ("isotropic scale", "orthogonal", "translation", "permutation", "linear")


@dataclass(frozen=True)
class Option:
    """One keyword that a method takes.

    Attributes
    ----------
    default: its value when nothing is asked.
    low, high: the closed range of a number; None where open.
    choices: the possible words of a text option.
    """

    name: str
    default: float | int | bool | str
    summary: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[F]):
    """One registered method.

    Attributes
    ----------
    label: how a page calls it.
    function: the public function that computes it.
    summary: one line for a reader who does not know it.
    source: arXiv number, or author and year.
    invariances: members of `TRANSFORMATIONS` that leave its result unchanged, and no others.
    options: keywords of `function` that a user may set.
    detail: whole sentences that a reader of its numbers must know beyond the summary, such as how it is normalised,
        what is cut off and what is left out; empty where there is nothing of the kind.
    """

    label: str
    function: F
    summary: str
    source: str
    invariances: frozenset[str] = frozenset()
    options: tuple[Option, ...] = ()
    detail: str = ""

    def flaw(self) -> str | None:
        """What is wrong with an entry that another package brings, or None."""
        if not (self.label and self.summary and self.source):
            return "its label, summary or source is empty"
        if unknown := self.invariances - set(TRANSFORMATIONS):
            return f"it claims to be invariant to {', '.join(sorted(unknown))}, known are {', '.join(TRANSFORMATIONS)}"
        known = inspect.signature(self.function).parameters
        missing = [option.name for option in self.options if option.name not in known]
        return f"its function takes no {', '.join(missing)}, which its options name" if missing else None


_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LOCK = RLock()  # one for all registries


class Registry(MutableMapping[str, E]):
    """Names and what they stand for: relviz's own, then what other installed packages add.

    Those are looked up when the registry is first read. One that is malformed is left out, and the log says why.

    Parameters
    ----------
    group: of entry points, a key of `relviz.plugins.GROUPS`.
    flaw: what is wrong with an object that another package brings, or None.
    own: relviz's own; more may be set until the registry is read.
    reserved: words that no name of another package's may have in it, since names made with them stand for more.

    >>> list(Registry("relviz.sources", lambda found: None, {"mine": len}))
    ['mine']
    """

    # A package that reads registries while it is imported finds relviz's own entries: looking for more would import it
    # again.
    _loading: ClassVar[bool] = False

    def __init__(
        self,
        group: str,
        flaw: Callable[[Any], str | None],
        own: Mapping[str, E] | None = None,
        *,
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self._group, self._flaw, self._reserved = group, flaw, reserved
        self._known = dict(own or {})
        self._packages: dict[str, str] = {}
        self._awaiting = True

    def package_of(self, name: str) -> str:
        """The package, with its version, that brings a name; empty for relviz's own."""
        self._complete()
        return self._packages.get(name, "")

    def __getitem__(self, name: str) -> E:
        return self._complete()[name]

    def __setitem__(self, name: str, entry: E) -> None:
        self._known[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._complete())

    def __len__(self) -> int:
        return len(self._complete())

    def _complete(self) -> dict[str, E]:
        with _LOCK:
            if self._awaiting and not Registry._loading:
                self._awaiting, Registry._loading = False, True
                try:
                    for plugin in plugins(self._group):
                        self._add(plugin)
                finally:
                    Registry._loading = False
        return self._known

    def _add(self, plugin: Plugin) -> None:
        reason = self._flaw(plugin.found) or self._collision(plugin)
        if reason:
            leave_out(plugin, reason)
            return
        self._known[plugin.name] = plugin.found
        self._packages[plugin.name] = plugin.package

    def _collision(self, plugin: Plugin) -> str | None:
        if not _NAME.fullmatch(plugin.name):
            return "a name is of small letters, digits and single hyphens between them"
        if words := self._reserved & set(plugin.name.split("-")):
            return f"the word '{min(words)}' in a name has a meaning of its own"
        if plugin.name in self._known:
            return f"{self._packages.get(plugin.name, 'relviz')} has one of that name already"
        labels = {getattr(entry, "label", None): name for name, entry in self._known.items()}
        taken = labels.get(getattr(plugin.found, "label", ""))
        return f"its label is that of '{taken}'" if taken else None


def flaw_of(kind: type[Entry[Any]]) -> Callable[[Any], str | None]:
    """What finds the flaw of an object that should be an entry of that kind.

    Raises nothing, and neither does what it gives.

    >>> flaw_of(Entry)("a word")
    'it is a str and no Entry'
    """

    def flaw(found: Any) -> str | None:
        if not isinstance(found, kind):
            return f"it is a {type(found).__name__} and no {kind.__name__}"
        try:
            return found.flaw()
        except (AttributeError, TypeError, ValueError) as error:  # fields of other types than are declared
            return f"its fields are not what {kind.__name__} declares ({error})"

    return flaw


def import_modules(package: str) -> None:
    """Import every module of a package, in the order of their names, so that each enters what it declares into a table.

    Raises nothing but what the modules raise.

    >>> import_modules("relviz.core.projections")
    """
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        import_module(module.name)
