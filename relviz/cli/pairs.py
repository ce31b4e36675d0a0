"""`relviz pairs`: each sample's partner in a paired data set."""

from __future__ import annotations

import argparse
from typing import Any

from relviz import notes_on
from relviz.cli.options import add_anchors, add_json, chosen_anchors
from relviz.cli.terminal import report, show_with_notes


def add_parser(commands: Any) -> None:
    """The options of the command."""
    pairs = commands.add_parser("pairs", help="look for each sample's partner in a paired data set")
    pairs.set_defaults(command=_pairs)
    pairs.add_argument("a", metavar="A", help="model that reads the first data set")
    pairs.add_argument("b", metavar="B", help="model that reads the second")
    sets = pairs.add_mutually_exclusive_group(required=True)
    sets.add_argument("--data", nargs=2, metavar="DATA", help="two data sets whose samples correspond by their ids")
    sets.add_argument("--group", metavar="GROUP", help="every two sets of a group of the shelf file, by the first way")
    pairs.add_argument("--ways", nargs="+", metavar="WAY", help="ways from A's space to B's (default: seven)")
    add_anchors(pairs)
    add_json(pairs)


def _pairs(chosen: argparse.Namespace) -> None:
    from relviz.data.paired import group
    from relviz.requests import DEFAULT_WAYS, PairBoard, Pairs
    from relviz.usecases.table import run

    ways = tuple(chosen.ways or DEFAULT_WAYS)
    if chosen.data:
        first, second = chosen.data
        found = run(Pairs(chosen.a, chosen.b, first, second, chosen_anchors(chosen), ways), report)
        directions = ((first, second, found.there), (second, first, found.back))
        rows = [{"from": a, "to": b, **vars(one)} for a, b, ones in directions for one in ones]
        notes = [*notes_on(chosen.a, data=first), *notes_on(chosen.b, data=second)]
    else:
        sets, way = group(chosen.group), (chosen.ways or ["relative"])[0]
        cells = run(PairBoard(chosen.a, chosen.b, sets, chosen_anchors(chosen), way), report).cells
        rows = [{"from": a, "to": b, **vars(cells[i][j])} for i, a in enumerate(sets) for j, b in enumerate(sets)]
        notes = [note for one in sets for note in notes_on(chosen.a, chosen.b, data=one)]
    show_with_notes("pairs", rows, list(dict.fromkeys(notes)), chosen.json)
