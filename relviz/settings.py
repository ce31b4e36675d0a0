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
ENCODE_NUMBERS = 2_000_000  # pixels and channels encoded at once; 650 colour images of 32 x 32, 13 of 224 x 224
ENCODE_TEXTS = 64  # texts encoded at once: all are as long as the longest then, and a token takes long
NEIGHBOURS = 10  # k of the retrieval measures when nothing else is asked
MAP_NEIGHBOURS = 15  # k of the maps: UMAP's n_neighbors and the honesty figure
MAX_ANCHORS = 1000
MEMORY = 64 * 2**20  # bytes that one block of a kernel may take
MOMENTS = 8 * 2**30  # bytes that the sums of products of two spaces may take
SPACE_BYTES = 2 * 2**30  # spaces kept in memory; 10,000 x 128 takes 5 MB
NETWORK_BYTES = 2**30  # networks kept on the device
DATA_BYTES = 2 * 2**30  # of one data set, unpacked
IMAGE_PIXELS = 25_000_000  # of one picture file
CHECKPOINT_BYTES = 4 * 2**30  # of one file of weights
CACHE_BYTES = 5 * 2**30  # results kept on disk
QUEUE = 8  # jobs that may wait for one worker
JOBS_PER_VISITOR = 2  # unfinished ones
PIECE_SECONDS = 5.0  # of encoding, after which the rows are kept that there are
JOB_SECONDS = 120.0  # that a job may compute
BUILDER_SECONDS = 20.0  # that a user's code may take to build its network


def cache_dir() -> Path:
    """The folder of cached results: `RELVIZ_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("RELVIZ_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "relviz"


def models_dir() -> Path:
    """The folder of the models trained here: `RELVIZ_MODELS`, else the user's folder for data."""
    chosen = os.environ.get("RELVIZ_MODELS")
    base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return Path(chosen) if chosen else base / "relviz" / "models"


def data_dirs() -> tuple[Path, ...]:
    """Folders that data sets are looked for in, and downloaded to the first: `RELVIZ_DATA`, then the cache's own."""
    own = cache_dir() / "data"
    chosen = os.environ.get("RELVIZ_DATA")
    return (Path(chosen), own) if chosen else (own,)


def may_download() -> bool:
    """Whether data sets that are not on this machine may be downloaded: `RELVIZ_DOWNLOAD=1`."""
    return os.environ.get("RELVIZ_DOWNLOAD") == "1"


def shelf_file() -> Path:
    """The file of the models and data a user added: `RELVIZ_SHELF`, else relviz.toml of the working folder."""
    return Path(os.environ.get("RELVIZ_SHELF") or "relviz.toml").absolute()


def device() -> str:
    """Where to compute: `RELVIZ_DEVICE`, one of auto, cpu, cuda, cuda:1 and so on."""
    return os.environ.get("RELVIZ_DEVICE", "auto")
