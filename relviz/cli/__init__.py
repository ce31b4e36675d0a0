"""The `relviz` command: the same use cases and numbers as the pages.

Results go to standard output, progress and refusals to standard error. Exit status 0, 1 for a refused input, 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from relviz import __version__
from relviz.cli import (
    anchors,
    cache,
    check_method,
    compare,
    datasets,
    methods,
    models,
    pairs,
    reconstruct,
    reproduce,
    serve,
    shelf,
    stitch,
    train,
)
from relviz.cli.options import SETTLED, settle
from relviz.errors import RelvizError

_COMMANDS = (
    models,
    datasets,
    compare,
    stitch,
    reconstruct,
    pairs,
    anchors,
    methods,
    check_method,
    shelf,
    cache,
    serve,
    reproduce,
    train,
)  # in the order of --help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.what in SETTLED:
            settle(chosen)
        chosen.command(chosen)
    except RelvizError as error:
        print(f"relviz: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="relviz", description="Do two trained models see the same thing?")
    parser.add_argument("--version", action="version", version=f"relviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="what")
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
