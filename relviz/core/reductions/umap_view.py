"""UMAP, by umap-learn on exact neighbours."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.reductions.entry import REDUCTIONS, Reduction


def umap(
    neighbours: Int[Tensor, "n k"],
    similarities: Float[Tensor, "n k"],
    start: Float[Tensor, "n 2"],
    *,
    min_dist: float = 0.1,
    seed: int,
    progress: Callable[[float], None] = lambda _share: None,
) -> Float[Tensor, "n 2"]:
    """UMAP view (umap-learn) of an exact neighbour graph; finite, of any size.

    Parameters
    ----------
    neighbours, similarities: from `neighbour_graph`; a distance is 1 minus the similarity.
    start: layout to start from, usually `pca`.
    min_dist: how near points may come, in [0, 1).
    seed: equal seeds give equal views.
    progress: told the share done some times a second; what it raises ends the work.

    Raises nothing but what `progress` raises.
    """
    from umap import UMAP  # compiles for seconds at its first import

    n, k = neighbours.shape
    own = torch.arange(n)[:, None]  # umap-learn counts a row as its own first neighbour
    indices = torch.cat([own, neighbours], dim=1).numpy().astype(np.int32)
    distances = torch.cat([torch.zeros(n, 1), 1 - similarities.float()], dim=1).clamp_min(0).numpy()
    spread = _spread(start, seed).numpy()
    reducer = UMAP(
        n_neighbors=k + 1,
        min_dist=min_dist,
        precomputed_knn=(indices, distances, None),
        init=spread,
        random_state=seed,
        n_jobs=1,  # what a seed implies; umap-learn warns when left to find out
        transform_seed=seed,
        # miniters keeps the bar from being drawn by a thread of its own, where nothing could be raised.
        tqdm_kwds={"disable": False, "file": _Bar(progress), "bar_format": "{n}/{total}", "ascii": True, "miniters": 1},
    )
    with warnings.catch_warnings():
        # It regrets having no search index for new points; views never place new points.
        warnings.filterwarnings("ignore", message=".*knn_search_index.*")
        view = reducer.fit_transform(spread)
    return torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))


REDUCTIONS["umap"] = Reduction(
    label="UMAP",
    function=umap,
    summary="umap-learn on exact neighbours, started from PCA",
    source="1802.03426",
    given="graph",
    heeds=frozenset({"neighbours", "min_dist", "metric", "seed"}),
    tells=True,
)


class _Bar:
    """The file that umap-learn's progress bar is drawn on: each drawing becomes a call."""

    def __init__(self, progress: Callable[[float], None]) -> None:
        self._progress = progress

    def write(self, drawn: str) -> None:
        done, _, total = drawn.strip().partition("/")
        if total:
            self._progress(int(done) / int(total))

    def flush(self) -> None:
        pass


def _spread(view: Float[Tensor, "n 2"], seed: int) -> Float[Tensor, "n 2"]:
    """The layout stretched to the 10 x 10 square that umap-learn starts from.

    An axis along which nothing varies is filled at random, as umap-learn fills a layout of its own: it divides by the
    extent.
    """
    view = view.double()  # the extent of very large numbers is larger still
    low, high = view.amin(0), view.amax(0)
    flat = high <= low
    drawn = torch.rand(view.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    stretched = (view - low) / torch.where(flat, 1.0, high - low)
    return (10 * torch.where(flat, drawn, stretched)).float()
