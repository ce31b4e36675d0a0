"""The `relviz` command: the same use cases and numbers as the pages.

Results go to standard output, progress and refusals to standard error. Exit status 0, 1 for a refused input, 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relviz import __version__, notes_on, settings
from relviz.errors import BadChoice, RelvizError
from relviz.options import SETTLED, add_anchors, add_settled, settle
from relviz.terminal import report, show, show_with_notes, tell


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
    models = commands.add_parser("models", help="list the models of the shelf")
    models.set_defaults(command=_models)
    datasets = commands.add_parser("datasets", help="list the data sets")
    datasets.set_defaults(command=_datasets)
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
    stitch = commands.add_parser("stitch", help="stitch each model's encoder to the other's head")
    stitch.set_defaults(command=_stitch)
    stitch.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="stitching methods, or 'all' (default: the first three)"
    )
    stitch.add_argument(
        "--seeds", type=int, default=1, help="anchor sets, from --seed on; more than one give means and ranges"
    )
    rebuild = commands.add_parser("reconstruct", help="encode images with A, decode with B")
    rebuild.set_defaults(command=_reconstruct)
    rebuild.add_argument("--methods", nargs="+", metavar="METHOD", help="ways from A's space to B's (default: four)")
    rebuild.add_argument("--out", metavar="FILE.png", help="write a grid of the first pictures there")
    pairs = _add_pairs(commands)
    methods = commands.add_parser("methods", help="list every registered method")
    methods.set_defaults(command=_methods)
    form = methods.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="write the tables of docs/methods.md")
    form.add_argument("--json", action="store_true", help="write JSON alone to standard output")
    for pair in (compare, stitch, rebuild):
        _add_pair(pair)
    for listing in (models, datasets, compare, stitch, rebuild, pairs):
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
    what.add_argument(
        "--source", help="torchvision:NAME, timm:NAME, hf:NAME-or-folder, efficientnet-lite:0 to 2 or array:FILE#KEY"
    )
    add.add_argument("--checkpoint", metavar="FILE", help="its weights")
    add.add_argument("--latent", metavar="NODE", help="latent node (default: what goes into its head)")
    add.add_argument("--size", type=int, help="side of the images it reads (default: the data's own)")
    add.add_argument("--channels", type=int, help="1 or 3 (default: as its first convolution)")
    add.add_argument("--mean", type=float, nargs="+", help="subtracted from pixels in [0, 1]")
    add.add_argument("--std", type=float, nargs="+", help="divided out after that")
    add.add_argument("--vectors", type=int, metavar="WIDTH", help="it reads vectors of that width, no images")
    add.add_argument("--classes", nargs="+", metavar="CLASS", help="names of its head's classes")
    add.add_argument("--data", nargs="+", metavar="DATA", help="of an array, the data sets whose samples its rows are")
    add.add_argument("--licence", help="of its weights")
    listing = commands.add_parser("shelf", help="list the models of the shelf file with their problems")
    listing.set_defaults(command=_shelf)
    listing.add_argument("--json", action="store_true", help="write JSON alone to standard output")


def _add_pairs(commands: Any) -> argparse.ArgumentParser:
    pairs: argparse.ArgumentParser = commands.add_parser(
        "pairs", help="look for each sample's partner in a paired data set"
    )
    pairs.set_defaults(command=_pairs)
    pairs.add_argument("a", metavar="A", help="model that reads the first data set")
    pairs.add_argument("b", metavar="B", help="model that reads the second")
    sets = pairs.add_mutually_exclusive_group(required=True)
    sets.add_argument("--data", nargs=2, metavar="DATA", help="two data sets whose samples correspond by their ids")
    sets.add_argument("--group", metavar="GROUP", help="every two sets of a group of the shelf file, by the first way")
    pairs.add_argument("--ways", nargs="+", metavar="WAY", help="ways from A's space to B's (default: seven)")
    add_anchors(pairs)
    return pairs


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
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", help="data set (default: the rows of an array themselves, else fashion-mnist)")
    data.add_argument("--labels", metavar="FILE#KEY", help="where A is array:FILE#KEY: its rows with these labels")
    add_anchors(parser)


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
    show(rows, chosen.json)


def _add(chosen: argparse.Namespace) -> None:
    from relviz.models.catalogue import add, own_head
    from relviz.shelf_file import ENTRY_KEYS

    given = {key: value for key in ENTRY_KEYS if (value := getattr(chosen, key)) is not None}
    file, model = add(chosen.name, given)
    print(f"{chosen.name} is in {file}: {model.modality} to {model.width} numbers; own head: {own_head(model)}.")
    tell(model.notes)


def _shelf(chosen: argparse.Namespace) -> None:
    from relviz.models.catalogue import lines

    found = [asdict(line) for line in lines()]
    if chosen.json:
        show(found, True)
        return
    if not found:
        print(f"{settings.shelf_file()} has no models yet; add one with 'relviz add'.")
        return
    show([{key: value for key, value in row.items() if key != "notes"} for row in found], False)
    tell(note for row in found for note in row["notes"])


def _datasets(chosen: argparse.Namespace) -> None:
    from relviz.data.catalogue import DATASETS
    from relviz.shelf_file import data_paths

    show([_data_row(name) for name in (*DATASETS, *data_paths())], chosen.json)


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
    from relviz.requests import DEFAULT_MEASURES, Compare
    from relviz.usecases.table import run

    if chosen.layers:
        _compare_layers(chosen)
        return
    anchors = _anchors(chosen)
    names = () if chosen.measures == ["all"] else tuple(chosen.measures or DEFAULT_MEASURES)
    comparison = run(Compare(chosen.a, chosen.b, chosen.data, anchors, chosen.k, names, chosen.draws), report)
    spaces = {"absolute": comparison.absolute, "relative": comparison.relative}
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    if not chosen.json:
        show(
            [{"space": s, "measure": m, **_measured(v)} for s, found in spaces.items() for m, v in found.items()], False
        )
        tell(notes)
        return
    measures = {space: {name: _measured(value) for name, value in found.items()} for space, found in spaces.items()}
    question = {"a": chosen.a, "b": chosen.b, "data": chosen.data, "anchors": asdict(anchors), "k": chosen.k}
    show({**question, "measures": measures, "notes": notes}, True)


def _compare_layers(chosen: argparse.Namespace) -> None:
    from relviz.requests import DEFAULT_MEASURES, Layers
    from relviz.usecases.table import run

    measure, *more = chosen.measures or DEFAULT_MEASURES[:1]
    if more:
        raise BadChoice("Layers are compared by one measure at a time.", "Name one with --measures.")
    board = run(Layers(measure, chosen.a, chosen.b, chosen.data, chosen.k), report)
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


def _stitch(chosen: argparse.Namespace) -> None:
    from relviz.core.stitching_methods import METHODS
    from relviz.requests import DEFAULT_METHODS, Stitch
    from relviz.usecases.stitching import head_words, over_seeds, seeded
    from relviz.usecases.table import run

    pair = tuple(dict.fromkeys((chosen.a, chosen.b)))
    names = tuple(METHODS) if chosen.methods == ["all"] else tuple(chosen.methods or DEFAULT_METHODS)
    sets = seeded(_anchors(chosen), chosen.seeds)
    boards = [run(Stitch(pair, chosen.data, anchors, names), report) for anchors in sets]
    cells = boards[0] if len(boards) == 1 else over_seeds(boards, "accuracy")
    heads = {name: head_words(name, chosen.data, report) for name in pair}
    rows = [{**cell.row(), "native_head": heads[cell.head]} for cell in cells]
    show_with_notes("cells", rows, chosen.notes + notes_on(*pair, data=chosen.data), chosen.json)


def _reconstruct(chosen: argparse.Namespace) -> None:
    from relviz.requests import DEFAULT_RECONSTRUCTIONS, Reconstruct
    from relviz.usecases.table import run

    names = tuple(chosen.methods or DEFAULT_RECONSTRUCTIONS)
    found = run(Reconstruct(chosen.a, chosen.b, chosen.data, _anchors(chosen), names), report)
    if chosen.out:
        from relviz.plots.pictures import save_grid

        save_grid(found, Path(chosen.out))
    ways = [{fact: value for fact, value in vars(way).items() if fact != "pictures"} for way in found.rebuilt]
    rows = [{"encoder": found.encoder, "decoder": found.decoder, **way, "n": found.n} for way in ways]
    notes = chosen.notes + notes_on(chosen.a, chosen.b, data=chosen.data)
    show_with_notes("ways", rows, notes, chosen.json)


def _pairs(chosen: argparse.Namespace) -> None:
    from relviz.data.paired import group
    from relviz.requests import DEFAULT_WAYS, PairBoard, Pairs
    from relviz.usecases.table import run

    ways = tuple(chosen.ways or DEFAULT_WAYS)
    if chosen.data:
        first, second = chosen.data
        found = run(Pairs(chosen.a, chosen.b, first, second, _anchors(chosen), ways), report)
        directions = ((first, second, found.there), (second, first, found.back))
        rows = [{"from": a, "to": b, **vars(one)} for a, b, ones in directions for one in ones]
        notes = [*notes_on(chosen.a, data=first), *notes_on(chosen.b, data=second)]
    else:
        sets, way = group(chosen.group), (chosen.ways or ["relative"])[0]
        cells = run(PairBoard(chosen.a, chosen.b, sets, _anchors(chosen), way), report).cells
        rows = [{"from": a, "to": b, **vars(cells[i][j])} for i, a in enumerate(sets) for j, b in enumerate(sets)]
        notes = [note for one in sets for note in notes_on(chosen.a, chosen.b, data=one)]
    show_with_notes("pairs", rows, list(dict.fromkeys(notes)), chosen.json)


def _methods(chosen: argparse.Namespace) -> None:
    from relviz.usecases.listing import markdown, rows

    if chosen.markdown:
        print(markdown(), end="")
        return
    found = rows()
    if not chosen.json:  # sentences, too long for a table
        found = [{fact: value for fact, value in row.items() if fact != "detail"} for row in found]
    show(found, chosen.json)


def _cache_info(chosen: argparse.Namespace) -> None:
    from relviz.encoding import cache

    found = cache.info()
    if chosen.json:
        show(asdict(found), True)
        return
    print(f"The cache is off: {found.off}." if found.off else f"Results are kept in {found.folder}.")
    rows = [{"kind": kind, **asdict(share)} for kind, share in found.kinds.items()]
    total = {"kind": "all", "entries": found.entries, "bytes": found.bytes}
    show([*rows, total, {"kind": "at most", "entries": None, "bytes": found.cap}], False)


def _cache_clear(chosen: argparse.Namespace) -> None:
    from relviz.encoding import cache

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
    from relviz.usecases.training import train_model

    for name in BUNDLED if chosen.all else chosen.names:
        card = train_model(name, data=chosen.data, progress=report)
        print(f"{name}: accuracy {card.accuracy}" if card.classifies else f"{name}: error {card.reconstruction_error}")


def _reproduce(chosen: argparse.Namespace) -> None:
    from relviz.experiments.reproducing import listing, reproduce

    if chosen.list:
        show(listing(), False)
        return
    reproduce(chosen.name, out=chosen.out, quick=chosen.quick, progress=report, say=print)


def _anchors(chosen: argparse.Namespace) -> Any:
    from relviz.data.catalogue import load_dataset
    from relviz.encoding.spaces import source_of, usual_strategy
    from relviz.requests import Anchors

    usual = "uniform" if chosen.what == "pairs" else usual_strategy(load_dataset(chosen.data))
    strategy = chosen.strategy or usual
    source = source_of(strategy, chosen.a)
    return Anchors(chosen.anchors, strategy, chosen.seed, chosen.projection, chosen.centred, source)


def _measured(value: Any) -> dict[str, Any]:
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in vars(value).items()}


if __name__ == "__main__":
    sys.exit(main())
