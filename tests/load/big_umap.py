"""`relviz serve` with one more thing in it: at SIGUSR1 its reducer begins a UMAP of 20,000 rows, as for a visitor.

No bundled data set has so many held-out rows. The log says when it began and when it has ended.
"""

from __future__ import annotations

import signal
import sys

import torch

from relviz import cli
from relviz.core.neighbours import nearest_by_cosine
from relviz.core.reductions.principal import pca
from relviz.core.reductions.umap_view import umap
from relviz.jobs.engine import StageCall
from relviz.progress import Progress
from relviz.ui.log import report
from relviz.ui.wishes import broker
from relviz.usecases.table import REDUCER
from tests.load import big_umap

ROWS = 20_000
BEGAN, ENDED = "the big UMAP began", "the big UMAP ended"


def work(rows: int, progress: Progress) -> float:
    """Runs in the worker."""
    progress(0, "finding neighbours")
    x = torch.randn(rows, 64, generator=torch.Generator().manual_seed(0))
    view = umap(*nearest_by_cosine(x, 15), pca(x), seed=0, progress=lambda share: progress(share, "UMAP"))
    return float(view.std())


def _begin(*_: object) -> None:
    def heard(message: tuple[object, ...]) -> None:
        if message[0] != "progress":
            report(ENDED, how=message[0])

    broker()._engine.start(StageCall(REDUCER, big_umap.work, ROWS), heard)
    report(BEGAN)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _begin)
    sys.exit(cli.main(sys.argv[1:]))
