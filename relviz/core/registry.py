"""What every registered method says about itself; pages, command line, docs and test battery are built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Generic, TypeVar

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


def import_modules(package: str) -> None:
    """Import every module of a package, in the order of their names, so that each enters what it declares into a table.

    >>> import_modules("relviz.core.projections")
    """
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        import_module(module.name)
