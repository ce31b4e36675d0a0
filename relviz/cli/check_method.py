"""`relviz check-method`: whether a method keeps the laws that all of its kind keep."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.errors import BadChoice


def add_parser(commands: Any) -> None:
    """The options of the command."""
    check = commands.add_parser("check-method", help="try every law of its kind on a method, such as one of your own")
    check.set_defaults(command=_check)
    check.add_argument("name", metavar="NAME", help="a measure, projection, translation or anchor strategy")


def _check(chosen: argparse.Namespace) -> None:
    from relviz.laws import check_method

    broken = 0
    for law, outcome in check_method(chosen.name):
        broken += not outcome.kept
        print(f"{'passed' if outcome.kept else 'FAILED'}  {law}: {outcome.told}", flush=True)
    if broken:
        raise BadChoice(f"{chosen.name} breaks {broken} of the laws.", "See the lines that begin with FAILED.")
