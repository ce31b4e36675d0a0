"""Reductions to two dimensions, for drawing only: no measure is ever computed on a view."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.neighbours import kept_share, nearest_by_cosine, nearest_by_distance


def pca(x: Float[Tensor, "n d"]) -> Float[Tensor, "n 2"]:
    """The two leading principal components; a width of one is padded with zeros. Signs are fixed, so equal
    spaces give equal views.

    >>> pca(torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 6.0, 0.0]]))[:, 0].tolist()
    [-3.0, 0.0, 3.0]
    """
    centred = x.double() - x.mean(0, dtype=torch.float64)
    if centred.shape[1] == 1:
        centred = torch.nn.functional.pad(centred, (0, 1))
    vectors = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -2:].flip(1)
    signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    return (centred @ (vectors * signs)).to(x.dtype)


def umap(
    neighbours: Int[Tensor, "n k"], similarities: Float[Tensor, "n k"], start: Float[Tensor, "n 2"], *, seed: int
) -> Float[Tensor, "n 2"]:
    """UMAP view (umap-learn, minimum distance 0.1) of an exact neighbour graph by cosine.

    Parameters
    ----------
    neighbours, similarities: from `nearest_by_cosine`, which measures and honesty figures share.
    start: layout to start from, usually `pca`.
    seed: equal seeds give equal views.
    """
    from umap import UMAP  # compiles for seconds at its first import

    n, k = neighbours.shape
    own = torch.arange(n)[:, None]  # umap-learn counts a row as its own first neighbour
    indices = torch.cat([own, neighbours], dim=1).numpy().astype(np.int32)
    distances = torch.cat([torch.zeros(n, 1), 1 - similarities.float()], dim=1).clamp_min(0).numpy()
    reducer = UMAP(
        n_neighbors=k + 1,
        precomputed_knn=(indices, distances, None),
        init=_spread(start).numpy(),
        random_state=seed,
        n_jobs=1,  # what a seed implies; umap-learn warns when left to find out
        transform_seed=seed,
    )
    with warnings.catch_warnings():
        # It regrets having no search index for new points; views never place new points.
        warnings.filterwarnings("ignore", message=".*knn_search_index.*")
        view = reducer.fit_transform(start.numpy())
    return torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))


def _spread(view: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The layout stretched to the 10 x 10 square that umap-learn starts from."""
    low, high = view.amin(0), view.amax(0)
    return 10 * (view - low) / (high - low).clamp_min(torch.finfo(view.dtype).tiny)


def kept_neighbours(x: Float[Tensor, "n d"], view: Float[Tensor, "n 2"], k: int) -> Float[Tensor, "n"]:
    """Honesty of a view: the share of each sample's k true neighbours (by cosine) that are its neighbours on the map.

    In [0, 1]; chance is k / (n - 1).

    >>> x = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    >>> kept_neighbours(x, x, 1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return kept_share(nearest_by_cosine(x, k)[0], nearest_by_distance(view, k))
