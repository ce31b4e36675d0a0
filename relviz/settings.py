"""Where things lie and what the limits are, declared once."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

# An installed wheel carries the assets inside the package, a checkout beside it.
ASSETS = next((p for p in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if p.is_dir()), _PACKAGE.parent / "assets")
MODELS = ASSETS / "models"
DATA = ASSETS / "data"

ENCODE_BATCH = 500  # samples encoded at once
NEIGHBOURS = 10  # k of the retrieval measures when nothing else is asked
MAP_NEIGHBOURS = 15  # k of the maps: UMAP's n_neighbors and the honesty figure
MAX_ANCHORS = 1000
MEMORY = 64 * 2**20  # bytes that one block of a kernel may take


def cache_dir() -> Path:
    """The folder of cached results: `RELVIZ_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("RELVIZ_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "relviz"
