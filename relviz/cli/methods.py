"""`relviz methods`: every registered method."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.cli.options import add_json
from relviz.cli.terminal import show


def add_parser(commands: Any) -> None:
    """The options of the command."""
    methods = commands.add_parser("methods", help="list every registered method")
    methods.set_defaults(command=_methods)
    form = methods.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="write the tables of docs/methods.md")
    add_json(form)


def _methods(chosen: argparse.Namespace) -> None:
    from relviz.usecases.listing import markdown, rows

    if chosen.markdown:
        print(markdown(), end="")
        return
    found = rows()
    if not chosen.json:  # sentences, too long for a table
        found = [{fact: value for fact, value in row.items() if fact != "detail"} for row in found]
    show(found, chosen.json)
