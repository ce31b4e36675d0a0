"""`relviz stitch`: each model's encoder with the other's head."""

from __future__ import annotations

import argparse
from typing import Any

from relviz import notes_on
from relviz.cli.options import add_json, add_pair, chosen_anchors
from relviz.cli.terminal import report, show_with_notes


def add_parser(commands: Any) -> None:
    """The options of the command."""
    stitch = commands.add_parser("stitch", help="stitch each model's encoder to the other's head")
    stitch.set_defaults(command=_stitch)
    stitch.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="stitching methods, or 'all' (default: the first three)"
    )
    stitch.add_argument(
        "--seeds", type=int, default=1, help="anchor sets, from --seed on; more than one give means and ranges"
    )
    add_pair(stitch)
    add_json(stitch)


def _stitch(chosen: argparse.Namespace) -> None:
    from relviz.core.stitching import METHODS
    from relviz.data.catalogue import load_dataset
    from relviz.encoding.spaces import fitting_model
    from relviz.requests import DEFAULT_METHODS, Stitch
    from relviz.usecases.stitching import head_words, over_seeds, seeded
    from relviz.usecases.table import run

    pair = tuple(dict.fromkeys((chosen.a, chosen.b)))
    names = tuple(METHODS) if chosen.methods == ["all"] else tuple(chosen.methods or DEFAULT_METHODS)
    sets = seeded(chosen_anchors(chosen), chosen.seeds)
    boards = [run(Stitch(pair, chosen.data, anchors, names), report) for anchors in sets]
    cells = boards[0] if len(boards) == 1 else over_seeds(boards, "accuracy")
    data = load_dataset(chosen.data)
    heads = {name: head_words(fitting_model(name, data), data, report) for name in pair}
    rows = [{**cell.row(), "native_head": heads[cell.head]} for cell in cells]
    show_with_notes("cells", rows, chosen.notes + notes_on(*pair, data=chosen.data), chosen.json)
