"""t-SNE, by scikit-learn."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.reductions.entry import REDUCTIONS, Reduction

PERPLEXITY = 30.0


def tsne(x: Float[Tensor, "n d"], start: Float[Tensor, "n 2"], *, seed: int) -> Float[Tensor, "n 2"]:
    """t-SNE view (scikit-learn, Barnes-Hut) by Euclidean distance; finite, of any size.

    Parameters
    ----------
    x: from `rows_for`; two rows or more.
    start: layout to start from, usually `pca`; it is made as small as scikit-learn makes its own.
    seed: equal seeds give equal views.

    Raises nothing for two rows or more.

    >>> from relviz.core.reductions.principal import pca
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


REDUCTIONS["tsne"] = Reduction(
    label="t-SNE",
    function=tsne,
    summary=(
        "scikit-learn, perplexity 30, Barnes-Hut with angle 0.5, 1,000 steps, early exaggeration 12, learning rate "
        "n / 48 but at least 50, started from PCA"
    ),
    source="van der Maaten and Hinton 2008",
    heeds=frozenset({"metric", "seed"}),
)
