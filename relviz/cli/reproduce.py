"""`relviz reproduce`: the papers' experiments beside the published numbers."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.cli.terminal import report, show


def add_parser(commands: Any) -> None:
    """The options of the command."""
    parser = commands.add_parser("reproduce", help="run experiments of the papers beside the published numbers")
    parser.set_defaults(command=_reproduce)
    parser.add_argument("name", nargs="?", metavar="NAME", help="an experiment, or all")
    parser.add_argument("--list", action="store_true", help="list the experiments")
    parser.add_argument("--out", metavar="FOLDER", help="where the reports go (default: a folder that the page reads)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the recipe; the report says so")


def _reproduce(chosen: argparse.Namespace) -> None:
    from relviz.experiments.reproducing import listing, reproduce

    if chosen.list:
        show(listing(), False)
        return
    reproduce(chosen.name, out=chosen.out, quick=chosen.quick, progress=report, say=print)
