"""The `relviz` command: the same use cases and numbers as the pages.

Results go to standard output, progress and refusals to standard error. Exit status 0, 1 for a refused input, 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from relviz import __version__, settings
from relviz.errors import RelvizError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.command(chosen)
    except RelvizError as error:
        print(f"relviz: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="relviz", description="Do two trained models see the same thing?")
    parser.add_argument("--version", action="version", version=f"relviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    models = commands.add_parser("models", help="list the models of the shelf")
    models.set_defaults(command=_models)
    datasets = commands.add_parser("datasets", help="list the data sets")
    datasets.set_defaults(command=_datasets)
    compare = commands.add_parser("compare", help="measure how alike two models' spaces are")
    compare.set_defaults(command=_compare)
    compare.add_argument(
        "--measures", nargs="+", metavar="MEASURE", help="measures, or 'all' (default: the five quick ones)"
    )
    compare.add_argument("--k", type=int, default=settings.NEIGHBOURS, help="neighbours of Jaccard@k and MRR@k")
    stitch = commands.add_parser("stitch", help="stitch each model's encoder to the other's head")
    stitch.set_defaults(command=_stitch)
    stitch.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="stitching methods, or 'all' (default: the first three)"
    )
    methods = commands.add_parser("methods", help="list every registered method")
    methods.set_defaults(command=_methods)
    methods.add_argument("--markdown", action="store_true", help="write the tables of docs/methods.md")
    for pair in (compare, stitch):
        _add_pair(pair)
    for listing in (models, datasets, methods, compare, stitch):
        listing.add_argument("--json", action="store_true", help="write JSON alone to standard output")
    train = commands.add_parser("train", help="train bundled models by their recorded recipes")
    train.set_defaults(command=_train)
    which = train.add_mutually_exclusive_group(required=True)
    which.add_argument("names", nargs="*", default=[], metavar="NAME", help="names of recipes")
    which.add_argument("--all", action="store_true", help="all recipes")
    return parser


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="model A")
    parser.add_argument("b", metavar="B", help="model B")
    parser.add_argument("--data", default="fashion-mnist", help="data set (default: %(default)s)")
    parser.add_argument("--anchors", type=int, default=300, help="number of anchors (default: %(default)s)")
    parser.add_argument("--strategy", default="class-balanced", help="anchor strategy (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the anchors (default: %(default)s)")
    parser.add_argument(
        "--projection", default="cosine", help="how samples are related to anchors (default: %(default)s)"
    )
    parser.add_argument("--centred", action="store_true", help="subtract the anchors' mean before projecting")


def _models(chosen: argparse.Namespace) -> None:
    from relviz.models.shelf import shelf

    rows = [
        {
            "name": card.name,
            "architecture": card.recipe.architecture,
            "width": card.width,
            "data": card.recipe.data,
            "accuracy": card.accuracy,
            "reconstruction_error": card.reconstruction_error,
        }
        for card in shelf().values()
    ]
    _print(rows, chosen.json)


def _datasets(chosen: argparse.Namespace) -> None:
    from relviz.data.catalogue import DATASETS, load_dataset

    rows = []
    for data in map(load_dataset, DATASETS):
        held_out = len(data) - data.gallery_size
        facts = {"name": data.name, "title": data.title, "samples": len(data), "gallery": data.gallery_size}
        facts |= {"held_out": held_out, "classes": len(data.class_names), "licence": data.licence}
        rows.append({**facts, "fingerprint": data.fingerprint})
    _print(rows, chosen.json)


def _compare(chosen: argparse.Namespace) -> None:
    from relviz.service.requests import DEFAULT_MEASURES, Compare
    from relviz.service.run import run

    anchors = _anchors(chosen)
    names = () if chosen.measures == ["all"] else tuple(chosen.measures or DEFAULT_MEASURES)
    comparison = run(Compare(chosen.a, chosen.b, chosen.data, anchors, chosen.k, names), _report)
    spaces = {"absolute": comparison.absolute, "relative": comparison.relative}
    if not chosen.json:
        _print(
            [{"space": s, "measure": m, **_measured(v)} for s, found in spaces.items() for m, v in found.items()], False
        )
        return
    measures = {space: {name: _measured(value) for name, value in found.items()} for space, found in spaces.items()}
    question = {"a": chosen.a, "b": chosen.b, "data": chosen.data, "anchors": asdict(anchors), "k": chosen.k}
    _print({**question, "measures": measures}, True)


def _stitch(chosen: argparse.Namespace) -> None:
    from relviz.core.stitching import METHODS
    from relviz.service.requests import DEFAULT_METHODS, Stitch
    from relviz.service.run import run

    pair = tuple(dict.fromkeys((chosen.a, chosen.b)))
    names = tuple(METHODS) if chosen.methods == ["all"] else tuple(chosen.methods or DEFAULT_METHODS)
    cells = run(Stitch(pair, chosen.data, _anchors(chosen), names), _report)
    _print([vars(cell) for cell in cells], chosen.json)


def _methods(chosen: argparse.Namespace) -> None:
    from relviz.service.listing import markdown, rows

    if chosen.markdown:
        print(markdown(), end="")
        return
    _print(rows(), chosen.json)


def _train(chosen: argparse.Namespace) -> None:
    from relviz.models.recipes import RECIPES
    from relviz.service.training import train_model

    for name in RECIPES if chosen.all else chosen.names:
        card = train_model(name, progress=_report)
        print(f"{name}: accuracy {card.accuracy}" if card.classifies else f"{name}: error {card.reconstruction_error}")


def _anchors(chosen: argparse.Namespace) -> Any:
    from relviz.service.requests import Anchors
    from relviz.service.spaces import source_of

    source = source_of(chosen.strategy, chosen.a)
    return Anchors(chosen.anchors, chosen.strategy, chosen.seed, chosen.projection, chosen.centred, source)


def _measured(value: Any) -> dict[str, Any]:
    return {"value": value.value, "undefined": value.undefined, "n": value.n}


def _report(share: float, text: str) -> None:
    """Progress on standard error; on a terminal one line that keeps changing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{share:4.0%} {text}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def _print(result: Any, as_json: bool) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(result, indent=1, allow_nan=False))
        return
    columns = list(result[0])
    rows = [columns, *([_text(row[column]) for column in columns] for row in result)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
