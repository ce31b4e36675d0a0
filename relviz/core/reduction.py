"""Reductions to two dimensions, for drawing only: no measure is ever computed on a view."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.neighbours import kept_share, nearest_among, nearest_by_cosine, nearest_by_distance, unit_rows
from relviz.core.points import directions, places
from relviz.errors import BadChoice, UnknownName
from relviz.packages import needed

METRICS = ("cosine", "euclidean")
PERPLEXITY = 30.0  # of t-SNE
PLACED_BY = 5  # samples whose mean place shows where a point lies that a reduction was not made of
PACMAP = "pacmap==0.9.1"
_PACMAP_FROM = 7  # rows, with which it finds a pair of every kind


@dataclass(frozen=True)
class Reduction:
    """How a page calls a reduction, and what it does exactly."""

    label: str
    summary: str
    source: str


REDUCTIONS = {
    "pca": Reduction("PCA", "the two leading principal components", "Pearson 1901"),
    "umap": Reduction("UMAP", "umap-learn on exact neighbours, started from PCA", "1802.03426"),
    "tsne": Reduction(
        "t-SNE",
        "scikit-learn, perplexity 30, Barnes-Hut with angle 0.5, 1,000 steps, early exaggeration 12, learning rate "
        "n / 48 but at least 50, started from PCA",
        "van der Maaten and Hinton 2008",
    ),
    "pacmap": Reduction("PaCMAP", "pacmap without its own PCA, 450 steps, started from PCA", "2012.04456"),
}


def varies(x: Float[Tensor, "n d"]) -> bool:
    """Whether not all rows are equal. Where they are, every view is one point.

    >>> varies(torch.tensor([[1.0, 2.0], [1.0, 2.0]])), varies(torch.tensor([[1.0, 2.0], [1.0, 3.0]]))
    (False, True)
    """
    return bool((x != x[:1]).any())


def pca(
    x: Float[Tensor, "n d"], dimensions: int = 2, *, others: Float[Tensor, "k d"] | None = None
) -> Float[Tensor, "_ m"]:
    """The leading principal components; a narrower space is padded with zeros. Signs are fixed, so equal spaces give
    equal views.

    Parameters
    ----------
    dimensions: m, how many.
    others: points that are placed on the components of `x`; their places come after those of `x`.

    >>> x = torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 6.0, 0.0]])
    >>> pca(x)[:, 0].tolist(), pca(x, others=x[:1])[:, 0].tolist()
    ([-3.0, 0.0, 3.0], [-3.0, 0.0, 3.0, -3.0])
    """
    middle = x.mean(0, dtype=torch.float64)
    pad = (0, max(0, dimensions - x.shape[1]))
    centred = torch.nn.functional.pad(x.double() - middle, pad)
    vectors = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -dimensions:].flip(1)
    axes = vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    view = centred @ axes
    if others is not None:
        view = torch.cat([view, torch.nn.functional.pad(others.double() - middle, pad) @ axes])
    return view.to(x.dtype)


def nearest_rows(points: Float[Tensor, "k d"], x: Float[Tensor, "n d"], metric: str) -> Int[Tensor, "k m"]:
    """The `PLACED_BY` rows of `x` nearest to each point, or all there are, nearest first.

    The mean place of these rows is where a view of `x` shows a point that it was not made of.

    Parameters
    ----------
    metric: "cosine" or "euclidean".

    Raises
    ------
    UnknownName: no such metric.

    >>> nearest_rows(torch.tensor([[1.0, 1.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]), "cosine").tolist()
    [[0, 1]]
    """
    _mind(metric)
    if metric == "cosine":
        return nearest_among(directions(points), directions(x), min(PLACED_BY, len(x)))
    peak = max(float(some.abs().amax()) for some in (points, x))
    return nearest_among(places(points, peak=peak), places(x, peak=peak), min(PLACED_BY, len(x)))


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


def umap(
    neighbours: Int[Tensor, "n k"],
    similarities: Float[Tensor, "n k"],
    start: Float[Tensor, "n 2"],
    *,
    min_dist: float = 0.1,
    seed: int,
    progress: Callable[[float], None] = lambda _share: None,
) -> Float[Tensor, "n 2"]:
    """UMAP view (umap-learn) of an exact neighbour graph.

    Parameters
    ----------
    neighbours, similarities: from `neighbour_graph`; a distance is 1 minus the similarity.
    start: layout to start from, usually `pca`.
    min_dist: how near points may come, in [0, 1).
    seed: equal seeds give equal views.
    progress: told the share done some times a second; what it raises ends the work.
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


def neighbour_graph(x: Float[Tensor, "n d"], k: int, metric: str) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The k nearest other rows of each row, nearest first, and 1 minus their distances by the metric.

    Parameters
    ----------
    metric: "cosine" or "euclidean".

    Raises
    ------
    UnknownName: no such metric.

    >>> neighbours, similarities = neighbour_graph(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), 1, "euclidean")
    >>> neighbours.tolist(), similarities.tolist()
    ([[1], [0]], [[-4.0], [-4.0]])
    """
    _mind(metric)
    if metric == "cosine":
        return nearest_by_cosine(x, k)
    neighbours = nearest_by_distance(x, k)
    distances = torch.stack([(x - x[column]).norm(dim=1) for column in neighbours.T], dim=1)
    return neighbours, 1 - distances


def rows_for(x: Float[Tensor, "n d"], metric: str) -> Float[Tensor, "n d"]:
    """Rows whose Euclidean neighbours are those by the metric: of length one for "cosine".

    Raises
    ------
    UnknownName: no such metric.

    >>> rows_for(torch.tensor([[3.0, 4.0]]), "cosine").norm().item()
    1.0
    """
    _mind(metric)
    return unit_rows(x) if metric == "cosine" else x


def _mind(metric: str) -> None:
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)


def tsne(x: Float[Tensor, "n d"], start: Float[Tensor, "n 2"], *, seed: int) -> Float[Tensor, "n 2"]:
    """t-SNE view (scikit-learn, Barnes-Hut) by Euclidean distance.

    Parameters
    ----------
    x: from `rows_for`; two rows or more.
    start: layout to start from, usually `pca`; it is made as small as scikit-learn makes its own.
    seed: equal seeds give equal views.

    >>> x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    >>> tsne(x, pca(x), seed=0).shape
    torch.Size([40, 2])
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    small = 1e-4 * start / start[:, 0].std().clamp_min(torch.finfo(start.dtype).tiny)
    reducer = TSNE(
        perplexity=min(PERPLEXITY, (len(x) - 1) / 3),
        init=small.float().numpy(),
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1, user_api="openmp"):  # its threads meet at every step, and wait on busy cores
        view = reducer.fit_transform(x.numpy())
    return torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))


def pacmap(x: Float[Tensor, "n d"], start: Float[Tensor, "n 2"], *, neighbours: int, seed: int) -> Float[Tensor, "n 2"]:
    """PaCMAP view (the package pacmap) by Euclidean distance.

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
    if len(x) < _PACMAP_FROM:
        raise BadChoice(f"{len(x)} samples are too few for PaCMAP.", "Choose another reduction.")
    x = torch.nn.functional.pad(x, (0, max(0, 2 - x.shape[1])))  # it wants two columns
    package = needed("pacmap", requirement=PACMAP, purpose="PaCMAP maps")
    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns that it was given a seed
    reducer = package.PaCMAP(n_neighbors=neighbours, apply_pca=False, random_state=seed)
    with _one_thread():
        view = reducer.fit_transform(x.numpy(), init=start.numpy())
    return torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))


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


def kept_neighbours(x: Float[Tensor, "n d"], view: Float[Tensor, "n 2"], k: int) -> Float[Tensor, "n"]:
    """Honesty of a view: the share of each sample's k true neighbours (by cosine) that are its neighbours on the map.

    In [0, 1]; chance is k / (n - 1).

    >>> x = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> kept_neighbours(x, x, 1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return kept_share(nearest_by_cosine(x, k)[0], nearest_by_distance(view, k))
