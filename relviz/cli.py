"""The `relviz` command: the same use cases and numbers as the pages.

Results go to standard output, progress and refusals to standard error. Exit status 0, 1 for a refused input, 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
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
        if getattr(chosen, "labels", None):
            from relviz.models.arrays import labelled

            chosen.data = labelled(chosen.a, chosen.labels)
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
    compare.add_argument(
        "--draws", type=int, default=0, help="resamplings for a null band and an interval of each value (default: none)"
    )
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
    _add_shelf(commands)
    _add_cache(commands.add_parser("cache", help="look at the results kept on disk, or remove them"))
    serve = commands.add_parser("serve", help="serve the pages in the browser")
    serve.set_defaults(command=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8501, help="port to listen on (default: %(default)s)")
    serve.add_argument("--device", help="auto, cpu, cuda, cuda:1 and so on (default: RELVIZ_DEVICE, else auto)")
    serve.add_argument("--cache-dir", metavar="FOLDER", help="folder of kept results (default: RELVIZ_CACHE)")
    serve.add_argument("--shelf", metavar="FILE", help="file of your own models and data (default: RELVIZ_SHELF)")
    _add_reproduce(commands.add_parser("reproduce", help="run experiments of the papers beside the published numbers"))
    train = commands.add_parser("train", help="train models by their recorded recipes; a killed training goes on")
    train.set_defaults(command=_train)
    which = train.add_mutually_exclusive_group(required=True)
    which.add_argument("names", nargs="*", default=[], metavar="NAME", help="names of recipes")
    which.add_argument("--all", action="store_true", help="all recipes of bundled models")
    train.add_argument("--data", metavar="PATH", help="train on this instead, by name or path (default: the recipe's)")
    return parser


def _add_shelf(commands: Any) -> None:
    add = commands.add_parser("add", help="try a model of yours and write it into the shelf file")
    add.set_defaults(command=_add)
    add.add_argument("name", metavar="NAME", help="what to call it")
    what = add.add_mutually_exclusive_group(required=True)
    what.add_argument("--builder", metavar="PKG.MOD:FN", help="function that gives the network")
    what.add_argument("--source", help="torchvision:NAME, timm:NAME, hf:NAME-or-folder or efficientnet-lite:0 to 2")
    add.add_argument("--checkpoint", metavar="FILE", help="its weights")
    add.add_argument("--latent", metavar="NODE", help="latent node (default: what goes into the last linear layer)")
    add.add_argument("--size", type=int, help="side of the images it reads (default: the data's own)")
    add.add_argument("--channels", type=int, help="1 or 3 (default: as its first convolution)")
    add.add_argument("--mean", type=float, nargs="+", help="subtracted from pixels in [0, 1]")
    add.add_argument("--std", type=float, nargs="+", help="divided out after that")
    add.add_argument("--vectors", type=int, metavar="WIDTH", help="it reads vectors of that width, no images")
    add.add_argument("--classes", nargs="+", metavar="CLASS", help="names of its head's classes")
    add.add_argument("--licence", help="of its weights")
    listing = commands.add_parser("shelf", help="list the models of the shelf file with their problems")
    listing.set_defaults(command=_shelf)
    listing.add_argument("--json", action="store_true", help="write JSON alone to standard output")


def _add_cache(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="say where results are kept and what they take")
    info.set_defaults(command=_cache_info)
    info.add_argument("--json", action="store_true", help="write JSON alone to standard output")
    clear = actions.add_parser("clear", help="remove every kept result")
    clear.set_defaults(command=_cache_clear)


def _add_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_reproduce)
    parser.add_argument("name", nargs="?", metavar="NAME", help="an experiment, or all")
    parser.add_argument("--list", action="store_true", help="list the experiments")
    parser.add_argument("--out", metavar="FOLDER", help="where the reports go (default: a folder that the page reads)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the recipe; the report says so")


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="model A")
    parser.add_argument("b", metavar="B", help="model B")
    parser.add_argument("--data", default="fashion-mnist", help="data set (default: %(default)s)")
    parser.add_argument("--labels", metavar="FILE#KEY", help="where A is array:FILE#KEY: its rows with these labels")
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


def _add(chosen: argparse.Namespace) -> None:
    from relviz.models.catalogue import add
    from relviz.shelf_file import ENTRY_KEYS

    given = {key: value for key in ENTRY_KEYS if (value := getattr(chosen, key)) is not None}
    file, model = add(chosen.name, given)
    classes = "no head of its own" if model.head is None else f"a head of {model.head.weight.shape[1]} classes"
    print(f"{chosen.name} is in {file}: {model.modality} to {model.width} numbers, {classes}.")


def _shelf(chosen: argparse.Namespace) -> None:
    from relviz.models.catalogue import lines

    found = [asdict(line) for line in lines()]
    if not found and not chosen.json:
        print(f"{settings.shelf_file()} has no models yet; add one with 'relviz add'.")
        return
    _print(found, chosen.json)


def _datasets(chosen: argparse.Namespace) -> None:
    from relviz.data.catalogue import DATASETS
    from relviz.shelf_file import data_paths

    _print([_data_row(name) for name in (*DATASETS, *data_paths())], chosen.json)


def _data_row(name: str) -> dict[str, Any]:
    from relviz.data.catalogue import load_dataset

    facts = ("title", "modality", "samples", "gallery", "held_out", "classes", "licence", "fingerprint", "problem")
    row: dict[str, Any] = {"name": name, **dict.fromkeys(facts)}
    try:
        data = load_dataset(name)
    except RelvizError as error:
        return row | {"problem": str(error)}
    row |= {"title": data.title, "modality": data.modality, "samples": len(data), "gallery": data.gallery_size}
    row |= {"held_out": len(data) - data.gallery_size, "classes": len(data.class_names)}
    return row | {"licence": data.licence, "fingerprint": data.fingerprint}


def _compare(chosen: argparse.Namespace) -> None:
    from relviz.service.requests import DEFAULT_MEASURES, Compare
    from relviz.service.run import run

    anchors = _anchors(chosen)
    names = () if chosen.measures == ["all"] else tuple(chosen.measures or DEFAULT_MEASURES)
    comparison = run(Compare(chosen.a, chosen.b, chosen.data, anchors, chosen.k, names, chosen.draws), _report)
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
    from relviz.core.stitching_methods import METHODS
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


def _cache_info(chosen: argparse.Namespace) -> None:
    from relviz.service import cache

    found = cache.info()
    if chosen.json:
        _print(asdict(found), True)
        return
    print(f"The cache is off: {found.off}." if found.off else f"Results are kept in {found.folder}.")
    rows = [{"kind": kind, **asdict(share)} for kind, share in found.kinds.items()]
    total = {"kind": "all", "entries": found.entries, "bytes": found.bytes}
    _print([*rows, total, {"kind": "at most", "entries": None, "bytes": found.cap}], False)


def _cache_clear(chosen: argparse.Namespace) -> None:
    from relviz.service import cache

    cache.clear()
    found = cache.info()
    if found.entries:
        raise RelvizError(
            f"{found.entries} results in {found.folder} could not be removed.", "Remove the folder as its owner."
        )
    print(f"No results are kept in {found.folder} any more.")


def _serve(chosen: argparse.Namespace) -> None:
    from relviz.serve import serve

    wishes = {"RELVIZ_DEVICE": chosen.device, "RELVIZ_CACHE": chosen.cache_dir, "RELVIZ_SHELF": chosen.shelf}
    os.environ.update({name: wish for name, wish in wishes.items() if wish})  # the workers read them as well
    serve(host=chosen.host, port=chosen.port)


def _train(chosen: argparse.Namespace) -> None:
    from relviz.models.recipes import BUNDLED
    from relviz.service.training import train_model

    for name in BUNDLED if chosen.all else chosen.names:
        card = train_model(name, data=chosen.data, progress=_report)
        print(f"{name}: accuracy {card.accuracy}" if card.classifies else f"{name}: error {card.reconstruction_error}")


def _reproduce(chosen: argparse.Namespace) -> None:
    from relviz.experiments.reproducing import listing, reproduce

    if chosen.list:
        _print(listing(), False)
        return
    reproduce(chosen.name, out=chosen.out, quick=chosen.quick, progress=_report, say=print)


def _anchors(chosen: argparse.Namespace) -> Any:
    from relviz.service.requests import Anchors
    from relviz.service.spaces import source_of

    source = source_of(chosen.strategy, chosen.a)
    return Anchors(chosen.anchors, chosen.strategy, chosen.seed, chosen.projection, chosen.centred, source)


def _measured(value: Any) -> dict[str, Any]:
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in vars(value).items()}


def _report(share: float, text: str) -> None:
    """Progress on standard error; on a terminal one line that keeps changing."""
    if sys.stderr.isatty():
        bar = "=" * round(20 * share)
        print(f"\r\033[K[{bar:20}] {share:4.0%} {text}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def _print(result: Any, as_json: bool) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(result, indent=1, allow_nan=False))
        return
    columns = [name for name in result[0] if any(row[name] is not None for row in result)]
    rows = [columns, *([_text(row[column]) for column in columns] for row in result)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return " to ".join(map(_text, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
