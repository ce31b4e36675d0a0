"""`relviz serve`: the pages in the browser."""

from __future__ import annotations

import argparse
import os
from typing import Any


def add_parser(commands: Any) -> None:
    """The options of the command."""
    serve = commands.add_parser("serve", help="serve the pages in the browser")
    serve.set_defaults(command=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8501, help="port to listen on (default: %(default)s)")
    serve.add_argument("--device", help="auto, cpu, cuda, cuda:1 and so on (default: RELVIZ_DEVICE, else auto)")
    serve.add_argument("--cache-dir", metavar="FOLDER", help="folder of kept results (default: RELVIZ_CACHE)")
    serve.add_argument("--shelf", metavar="FILE", help="file of your own models and data (default: RELVIZ_SHELF)")


def _serve(chosen: argparse.Namespace) -> None:
    from relviz.serve import serve

    wishes = {"RELVIZ_DEVICE": chosen.device, "RELVIZ_CACHE": chosen.cache_dir, "RELVIZ_SHELF": chosen.shelf}
    os.environ.update({name: wish for name, wish in wishes.items() if wish})  # the workers read them as well
    serve(host=chosen.host, port=chosen.port)
