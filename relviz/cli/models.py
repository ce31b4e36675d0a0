"""`relviz models`: the models that relviz trained."""

from __future__ import annotations

import argparse
from typing import Any

from relviz.cli.options import add_json
from relviz.cli.terminal import show


def add_parser(commands: Any) -> None:
    """The options of the command."""
    models = commands.add_parser("models", help="list the models of the shelf")
    models.set_defaults(command=_models)
    add_json(models)


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
