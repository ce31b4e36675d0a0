"""`relviz reconstruct`: one model encodes, another decodes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from relviz import notes_on
from relviz.cli.options import add_json, add_pair, chosen_anchors
from relviz.cli.terminal import report, show_with_notes


def add_parser(commands: Any) -> None:
    """The options of the command."""
    rebuild = commands.add_parser("reconstruct", help="encode images with A, decode with B")
    rebuild.set_defaults(command=_reconstruct)
    rebuild.add_argument("--methods", nargs="+", metavar="METHOD", help="ways from A's space to B's (default: four)")
    rebuild.add_argument("--out", metavar="FILE.png", help="write a grid of the first pictures there")
    add_pair(rebuild)
    add_json(rebuild)


def _reconstruct(chosen: argparse.Namespace) -> None:
    from relviz.requests import DEFAULT_RECONSTRUCTIONS, Reconstruct
    from relviz.usecases.table import run

    names = tuple(chosen.methods or DEFAULT_RECONSTRUCTIONS)
    found = run(Reconstruct(chosen.a, chosen.b, chosen.data, chosen_anchors(chosen), names), report)
    if chosen.out:
        from relviz.plots.pictures import save_grid

        save_grid(found, Path(chosen.out))
    ways = [{fact: value for fact, value in vars(way).items() if fact != "pictures"} for way in found.rebuilt]
    rows = [{"encoder": found.encoder, "decoder": found.decoder, **way, "n": found.n} for way in ways]
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    show_with_notes("ways", rows, notes, chosen.json)
