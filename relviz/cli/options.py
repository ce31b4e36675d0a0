"""What the options of a command mean where they are left out, and that each one given is used."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relviz.errors import BadChoice, BadFile

# Left out of the parsed options unless given, so that a given one that nothing uses can be refused.
DEFAULTS = {
    "anchors": 300,
    "seed": 0,
    "projection": "cosine",
    "centred": False,
    "draws": 0,
    "strategy": None,  # class-balanced where there are labels
    "k": None,  # `settings.NEIGHBOURS`, or all others where there are fewer
}
_ANCHORS = ("anchors", "strategy", "seed", "anchor-ids", "anchor-file", "projection", "centred")
SETTLED = ("compare", "stitch", "reconstruct", "pairs", "anchors")  # the commands that have them


def add_anchors(parser: argparse.ArgumentParser) -> None:
    """The options that say how anchors are chosen and looked at."""
    add_settled(parser, "--anchors", type=int, help="number of anchors")
    strategy = "class-balanced where there are labels, else uniform"
    parser.add_argument("--strategy", default=argparse.SUPPRESS, help=f"anchor strategy (default: {strategy})")
    add_settled(parser, "--seed", type=int, help="seed of the anchors")
    by_hand = parser.add_mutually_exclusive_group()
    by_hand.add_argument(
        "--anchor-ids",
        nargs="+",
        metavar="ID",
        default=argparse.SUPPRESS,
        help="gallery samples as anchors, by their ids, in this order",
    )
    by_hand.add_argument(
        "--anchor-file", metavar="FILE", default=argparse.SUPPRESS, help="the same from a file, an id a line"
    )
    add_settled(parser, "--projection", help="how samples are related to anchors")
    add_settled(parser, "--centred", action="store_true", help="subtract the anchors' mean before projecting")


def add_settled(parser: argparse.ArgumentParser, option: str, *, help: str, **how: Any) -> None:
    """An option whose default `settle` fills in."""
    default = DEFAULTS[option.removeprefix("--")]
    told = "none" if default is None or default is False else default
    parser.add_argument(option, default=argparse.SUPPRESS, help=f"{help} (default: {told})", **how)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The option that sets what methods declare."""
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set an option of a method in use, by NAME, METHOD.NAME or KIND.METHOD.NAME ('relviz methods' lists them)",
    )


def asked_options(chosen: argparse.Namespace) -> dict[str, str]:
    """The values of `--option` by name.

    Raises
    ------
    BadChoice: one that is not NAME=VALUE, or a name that is given twice.
    """
    found: dict[str, str] = {}
    for text in chosen.option:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadChoice(f"--option {text} sets nothing.", "Write it as NAME=VALUE.")
        if name in found:
            raise BadChoice(f"The option {name} is set twice.", "Set it once.")
        found[name] = value
    return found


def add_json(parser: argparse._ActionsContainer) -> None:
    """The option that results are written as JSON."""
    parser.add_argument("--json", action="store_true", help="write JSON alone to standard output")


def settle(chosen: argparse.Namespace) -> None:
    """Refuse given options that the command has no use for, then fill in the defaults and the data set.

    Raises
    ------
    BadChoice: an option that nothing would use, or the labels do not lie beside the model.
    UnknownName, BadFile: the data set of a comparison.
    """
    from relviz.data.catalogue import load_dataset

    for option, reason, hint in _unused(chosen):
        if option.replace("-", "_") in chosen:
            raise BadChoice(f"--{option} has no use here: {reason}.", hint)
    for option, default in DEFAULTS.items():
        if option not in chosen:
            setattr(chosen, option, default)
    if chosen.draws < 0:
        raise BadChoice(f"{chosen.draws} resamplings cannot be drawn.", "Ask for 0 or more.")
    chosen.notes = []
    if chosen.what != "pairs":
        _choose_data(chosen)
    if chosen.what == "compare" and chosen.k is None:
        chosen.k = load_dataset(chosen.data).neighbours


def _unused(chosen: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Options without use in this command, why, and what to do."""
    leave = "Leave it out."
    if "anchor_ids" in chosen or "anchor_file" in chosen:
        for option in ("anchors", "strategy", "seed"):
            yield option, "the anchors are chosen by hand", leave
    if chosen.what == "reconstruct":
        for option in ("projection", "centred"):
            yield option, "images are rebuilt from absolute vectors, which no anchors are projected on", leave
    elif chosen.what == "stitch":
        yield "projection", "a stitching method names its own", "Name it with --methods relative-PROJECTION."
        if not _relative_methods(chosen.methods):
            yield (
                "centred",
                "none of the methods projects on anchors",
                "Name one with --methods, such as relative-cosine.",
            )
    elif chosen.what == "pairs":
        if chosen.ways and not {"relative", "control"} & set(chosen.ways):
            for option in ("projection", "centred"):
                yield option, "none of the ways projects on anchors", "Name the way relative or control."
        if chosen.group and len(chosen.ways or ()) > 1:
            raise BadChoice("A group is searched by one way at a time.", "Name one with --ways.")
    elif chosen.what == "compare" and chosen.layers:
        for option in (*_ANCHORS, "draws"):
            yield option, "layers are compared once, in their absolute spaces", leave
    if chosen.what == "compare" and chosen.measures and not _measures_with_neighbours(chosen.measures):
        yield "k", "none of the measures looks at neighbours", "Name one with --measures, such as jaccard."


def _relative_methods(names: list[str] | None) -> bool:
    from relviz.core.stitching import METHODS
    from relviz.requests import DEFAULT_METHODS

    chosen = METHODS if names == ["all"] else names or DEFAULT_METHODS
    return any(name not in METHODS or METHODS[name].family in ("relative", "product", "control") for name in chosen)


def _measures_with_neighbours(names: list[str]) -> bool:
    from relviz.core.measures import MEASURES

    return any(name not in MEASURES or MEASURES[name].uses_k for name in names)


def _choose_data(chosen: argparse.Namespace) -> None:
    """The data set of a pair of models, and what is to be said of the choice."""
    from relviz.models.arrays import labelled
    from relviz.models.catalogue import usual_data

    if chosen.labels is not None:
        chosen.data = labelled(chosen.a, chosen.labels)
    elif chosen.data is None:
        chosen.data = usual_data(chosen.a, chosen.b)
        if chosen.data != "fashion-mnist":
            found = f"No data set is named, so the samples are those of '{chosen.data}'; name another with --data."
            chosen.notes = [found]


def add_pair(parser: argparse.ArgumentParser) -> None:
    """The options of a question about two models and their data."""
    parser.add_argument("a", metavar="A", help="model A")
    parser.add_argument("b", metavar="B", help="model B")
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", help="data set (default: the rows of an array themselves, else fashion-mnist)")
    data.add_argument("--labels", metavar="FILE#KEY", help="where A is array:FILE#KEY: its rows with these labels")
    add_anchors(parser)


def chosen_anchors(chosen: argparse.Namespace) -> Any:
    """The anchors that settled options ask for."""
    from relviz.data.catalogue import load_dataset
    from relviz.encoding.spaces import usual_strategy
    from relviz.requests import Anchors, by_hand

    if "anchor_ids" in chosen or "anchor_file" in chosen:
        return by_hand(_named(chosen), Anchors(projection=chosen.projection, centred=chosen.centred))
    usual = "uniform" if chosen.what == "pairs" else usual_strategy(load_dataset(chosen.data))
    return Anchors(chosen.anchors, chosen.strategy or usual, chosen.seed, chosen.projection, chosen.centred)


def _named(chosen: argparse.Namespace) -> list[str]:
    """The ids of anchors chosen by hand."""
    from relviz.core.anchors.ids import parse_anchor_ids

    if "anchor_ids" in chosen:
        return list(chosen.anchor_ids)
    try:
        return parse_anchor_ids(Path(chosen.anchor_file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(
            f"The file '{chosen.anchor_file}' cannot be read as text.", "Name a file with an id a line."
        ) from error
