"""`relviz compare`: how alike two models' spaces are."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from relviz import notes_on, settings
from relviz.cli.options import add_json, add_options, add_pair, add_settled, asked_options, chosen_anchors
from relviz.cli.terminal import report, show, tell
from relviz.errors import BadChoice


def add_parser(commands: Any) -> None:
    """The options of the command."""
    compare = commands.add_parser("compare", help="measure how alike two models' spaces are")
    compare.set_defaults(command=_compare)
    compare.add_argument(
        "--measures", nargs="+", metavar="MEASURE", help="measures, or 'all' (default: the five quick ones)"
    )
    compare.add_argument(
        "--k",
        type=int,
        default=argparse.SUPPRESS,
        help=f"neighbours of Jaccard@k and MRR@k (default: {settings.NEIGHBOURS}, or all others where there are fewer)",
    )
    add_settled(compare, "--draws", type=int, help="resamplings for a null band and an interval of each value")
    compare.add_argument("--layers", action="store_true", help="every layer of A with every layer of B, by one measure")
    add_options(compare)
    add_pair(compare)
    add_json(compare)


def _compare(chosen: argparse.Namespace) -> None:
    from relviz.core.measures import MEASURES
    from relviz.request_options import with_options
    from relviz.requests import DEFAULT_MEASURES, Compare
    from relviz.usecases.table import complete, run

    if chosen.layers:
        _compare_layers(chosen)
        return
    names = tuple(MEASURES) if chosen.measures == ["all"] else tuple(chosen.measures or DEFAULT_MEASURES)
    plain = Compare(chosen.a, chosen.b, chosen.data, chosen_anchors(chosen), chosen.k, names, chosen.draws)
    request = complete(with_options(plain, asked_options(chosen)))
    comparison = run(request, report)
    spaces = {"absolute": comparison.absolute, "relative": comparison.relative}
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    if not chosen.json:
        show(
            [{"space": s, "measure": m, **_measured(v)} for s, found in spaces.items() for m, v in found.items()], False
        )
        tell(notes)
        return
    measures = {space: {name: _measured(value) for name, value in found.items()} for space, found in spaces.items()}
    question = {"a": chosen.a, "b": chosen.b, "data": chosen.data, "anchors": asdict(request.anchors), "k": chosen.k}
    question["options"] = [asdict(one) for one in request.options]
    show({**question, "measures": measures, "notes": notes}, True)


def _compare_layers(chosen: argparse.Namespace) -> None:
    from relviz.request_options import with_options
    from relviz.requests import DEFAULT_MEASURES, Layers
    from relviz.usecases.table import run

    measure, *more = chosen.measures or DEFAULT_MEASURES[:1]
    if more:
        raise BadChoice("Layers are compared by one measure at a time.", "Name one with --measures.")
    request = with_options(Layers(measure, chosen.a, chosen.b, chosen.data, chosen.k), asked_options(chosen))
    board = run(request, report)
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    if chosen.json:
        cells = [(a, b, board.values[i][j]) for i, a in enumerate(board.a) for j, b in enumerate(board.b)]
        found = [{"layer_a": a, "layer_b": b, "measure": measure, **_measured(value)} for a, b, value in cells]
        show({"layers": found, "notes": notes}, True)
        return
    corner = f"{measure}, layers of A down, of B across"
    rows = zip(board.a, board.values, strict=True)
    show([{corner: a, **{b: v.value for b, v in zip(board.b, row, strict=True)}} for a, row in rows], False)
    tell(notes)


def _measured(value: Any) -> dict[str, Any]:
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in vars(value).items()}
