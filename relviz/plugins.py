"""What other installed packages add to relviz: methods and sources of models, named in their entry points.

A package whose metadata hold, for example,

    [project.entry-points."relviz.measures"]
    spread = "my_package:SPREAD"

adds the measure `spread`, an entry like those of relviz itself. The registries take such entries in when they are first
read, once in every process.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

# Group of entry points: what one of them is called.
GROUPS = {
    "relviz.anchor_strategies": "anchor strategy",
    "relviz.measures": "measure",
    "relviz.projections": "projection",
    "relviz.sources": "source of models",
    "relviz.translations": "translation",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plugin:
    """What one entry point adds: its name there, the object itself, and the package with its version."""

    group: str
    name: str
    found: Any
    package: str


def plugins(group: str) -> Iterator[Plugin]:
    """What entry points of a group add, in the order of packages and names; those that cannot be imported left out.

    >>> list(plugins("relviz.nothing"))
    []
    """
    for point in _points(group):
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 another package's code, which must not stop relviz
            leave_out(Plugin(group, point.name, None, _package(point)), f"importing {point.value} ends in {error!r}")
        else:
            yield Plugin(group, point.name, found, _package(point))


def leave_out(plugin: Plugin, reason: str) -> None:
    """Say in the log that something that a package adds is not used, and why."""
    _log.warning(
        "The %s '%s' of the package %s is left out: %s.", GROUPS[plugin.group], plugin.name, plugin.package, reason
    )


def versions() -> list[list[str]]:
    """Group, name and package with version of everything that other packages add: what stored answers depend on."""
    return [[group, point.name, _package(point)] for group in GROUPS for point in _points(group)]


def _points(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda point: (_package(point), point.name))


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "of no name"
