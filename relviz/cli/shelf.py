"""`relviz add` and `relviz shelf`: the models that users bring."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from relviz import settings
from relviz.cli.options import add_json
from relviz.cli.terminal import show, tell


def add_parser(commands: Any) -> None:
    """The options of both commands."""
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
    add_json(listing)


def _add(chosen: argparse.Namespace) -> None:
    from relviz.models.catalogue import add
    from relviz.models.shelf_lines import own_head
    from relviz.shelf_entries import ENTRY_KEYS

    given = {key: value for key in ENTRY_KEYS if (value := getattr(chosen, key)) is not None}
    file, model = add(chosen.name, given)
    print(f"{chosen.name} is in {file}: {model.modality} to {model.width} numbers; own head: {own_head(model)}.")
    tell(model.notes)


def _shelf(chosen: argparse.Namespace) -> None:
    from relviz.models.shelf_lines import lines

    found = [asdict(line) for line in lines()]
    if chosen.json:
        show(found, True)
        return
    if not found:
        print(f"{settings.shelf_file()} has no models yet; add one with 'relviz add'.")
        return
    show([{key: value for key, value in row.items() if key != "notes"} for row in found], False)
    tell(note for row in found for note in row["notes"])
