"""`relviz anchors`: how well an anchor set serves two models, and which anchors matter."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from relviz import notes_on
from relviz.cli.options import add_json, add_pair, chosen_anchors
from relviz.cli.terminal import report, show, tell
from relviz.errors import BadChoice

_SHOWN = 5  # anchors at either end of the order by influence


def add_parser(commands: Any) -> None:
    """The options of the command."""
    anchors = commands.add_parser("anchors", help="see how well an anchor set serves two models, or one named twice")
    anchors.set_defaults(command=_anchors)
    anchors.add_argument(
        "--without", nargs="+", metavar="ID", help="anchors to switch off, for numbers beside the others"
    )
    add_pair(anchors)
    add_json(anchors)


def _anchors(chosen: argparse.Namespace) -> None:
    from relviz.requests import by_hand
    from relviz.usecases.anchors import DiagnoseAnchors
    from relviz.usecases.table import run

    anchors, other = chosen_anchors(chosen), chosen.b if chosen.b != chosen.a else ""
    sets = {"all": run(DiagnoseAnchors(chosen.a, other, chosen.data, anchors), report)}
    if chosen.without:
        rest = _rest(sets["all"].ids, chosen.without)
        fewer = by_hand(rest, anchors)
        sets["without"] = run(DiagnoseAnchors(chosen.a, other, chosen.data, fewer), report)
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    if chosen.json:
        question = {"a": chosen.a, "b": chosen.b, "data": chosen.data, "anchors": asdict(anchors)}
        show({**question, **{name: asdict(found) for name, found in sets.items()}, "notes": notes}, True)
        return
    show([row for name, found in sets.items() for row in _rows(name, found)], False)
    if sets["all"].influence:
        print()
        show(_extremes(sets["all"]), False)
    tell(notes)


def _rest(ids: list[str], without: list[str]) -> list[str]:
    for name in without:
        if name not in ids:
            raise BadChoice(f"The sample '{name}' is no anchor.", f"Name anchors, such as '{ids[0]}'.")
    rest = [name for name in ids if name not in without]
    if not rest:
        raise BadChoice("No anchor is left.", "Switch off fewer.")
    return rest


def _rows(name: str, found: Any) -> list[dict[str, Any]]:
    """One row for each space."""
    return [
        {
            "anchors": name,
            "count": len(found.ids),
            "model": space.model,
            "width": space.width,
            "coverage": space.coverage,
            "radius": space.radius,
            "effective_rank": space.effective_rank.value,
            "condition_number": space.condition_number.value,
            "redundancy": space.redundancy.value,
            "similarity": found.similarity and found.similarity.value,
        }
        for space in found.spaces
    ]


def _extremes(found: Any) -> list[dict[str, Any]]:
    """The anchors that add most and least to the similarity, most first."""
    pairs = zip(found.ids, found.influence, strict=True)
    order = sorted(pairs, key=lambda pair: -2.0 if pair[1].value is None else pair[1].value, reverse=True)
    ends = order if len(order) <= 2 * _SHOWN else order[:_SHOWN] + order[-_SHOWN:]
    return [{"anchor": name, "influence": _signed(value.value), "undefined": value.undefined} for name, value in ends]


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.2e}"
