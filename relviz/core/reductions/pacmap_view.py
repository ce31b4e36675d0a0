"""PaCMAP, by the package of its authors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.reductions.entry import REDUCTIONS, Reduction
from relviz.errors import BadChoice
from relviz.packages import needed

_PACMAP = "pacmap==0.9.1"
_FEWEST = 7  # rows, with which it finds a pair of every kind


def pacmap(x: Float[Tensor, "n d"], start: Float[Tensor, "n 2"], *, neighbours: int, seed: int) -> Float[Tensor, "n 2"]:
    """PaCMAP view (the package pacmap) by Euclidean distance; finite, of any size.

    Parameters
    ----------
    x: from `rows_for`.
    start: layout to start from, usually `pca`.
    neighbours: of each row, below n.
    seed: equal seeds give equal views.

    Raises
    ------
    MissingPackage: pacmap is not installed.
    BadChoice: there are too few rows.
    """
    if len(x) < _FEWEST:
        raise BadChoice(f"{len(x)} samples are too few for PaCMAP.", "Choose another reduction.")
    x = torch.nn.functional.pad(x, (0, max(0, 2 - x.shape[1])))  # it wants two columns
    package = needed("pacmap", requirement=_PACMAP, purpose="PaCMAP maps")
    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns that it was given a seed
    reducer = package.PaCMAP(n_neighbors=neighbours, apply_pca=False, random_state=seed)
    with _one_thread():
        view = reducer.fit_transform(x.numpy(), init=start.numpy())
    return torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))


REDUCTIONS["pacmap"] = Reduction(
    label="PaCMAP",
    function=pacmap,
    summary="pacmap without its own PCA, 450 steps, started from PCA",
    source="2012.04456",
    heeds=frozenset({"neighbours", "metric", "seed"}),
)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Loops of a moment wait longer for their other threads, on busy cores, than these save."""
    import numba

    count = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(count)
