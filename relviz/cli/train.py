"""`relviz train`: models by their recorded recipes."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.cli.terminal import report


def add_parser(commands: Any) -> None:
    """The options of the command."""
    train = commands.add_parser("train", help="train models by their recorded recipes; a killed training goes on")
    train.set_defaults(command=_train)
    which = train.add_mutually_exclusive_group(required=True)
    which.add_argument("names", nargs="*", default=[], metavar="NAME", help="names of recipes")
    which.add_argument("--all", action="store_true", help="all recipes of bundled models")
    train.add_argument("--data", metavar="PATH", help="train on this instead, by name or path (default: the recipe's)")


def _train(chosen: argparse.Namespace) -> None:
    from relviz.models.recipes import BUNDLED
    from relviz.usecases.training import train_model

    for name in BUNDLED if chosen.all else chosen.names:
        card = train_model(name, data=chosen.data, progress=report)
        print(f"{name}: accuracy {card.accuracy}" if card.classifies else f"{name}: error {card.reconstruction_error}")
