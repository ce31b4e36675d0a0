"""`relviz cache`: the results that are kept on disk."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from relviz.cli.options import add_json
from relviz.cli.terminal import show
from relviz.errors import RelvizError


def add_parser(commands: Any) -> None:
    """The options of the command."""
    parser = commands.add_parser("cache", help="look at the results kept on disk, or remove them")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="say where results are kept and what they take")
    info.set_defaults(command=_cache_info)
    add_json(info)
    clear = actions.add_parser("clear", help="remove every kept result")
    clear.set_defaults(command=_cache_clear)


def _cache_info(chosen: argparse.Namespace) -> None:
    from relviz.encoding import cache

    found = cache.info()
    if chosen.json:
        show(asdict(found), True)
        return
    print(f"The cache is off: {found.off}." if found.off else f"Results are kept in {found.folder}.")
    rows = [{"kind": kind, **asdict(share)} for kind, share in found.kinds.items()]
    total = {"kind": "all", "entries": found.entries, "bytes": found.bytes}
    show([*rows, total, {"kind": "at most", "entries": None, "bytes": found.cap}], False)


def _cache_clear(chosen: argparse.Namespace) -> None:
    from relviz.encoding import cache

    cache.clear()
    found = cache.info()
    if found.entries:
        raise RelvizError(
            f"{found.entries} results in {found.folder} could not be removed.", "Remove the folder as its owner."
        )
    print(f"No results are kept in {found.folder} any more.")
