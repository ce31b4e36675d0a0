"""Anchor strategies: which gallery samples become anchors.

Every strategy is seeded, returns row numbers of the gallery in the order that the relative coordinates will have, and
never returns a row twice. A new one is one function with its entry under it, in a module of this package.

Anchors chosen by hand come through `parse_anchor_ids` and `explicit_anchors`; anchors that two data sets share, such as
translations of one text, through `parallel_anchors`. Out-of-domain anchors are any of these on the gallery of another
data set, whose vectors then stand beside the samples' in a projection.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.anchors.entry import STRATEGIES, Strategy
from relviz.core.anchors.gallery import Gallery, check_gallery
from relviz.core.anchors.ids import check_count
from relviz.core.options import check_options
from relviz.core.registry import import_modules
from relviz.errors import UnknownName

__all__ = ["STRATEGIES", "Gallery", "Strategy", "select_anchors"]

import_modules(__name__)


def select_anchors(
    labels: Int[Tensor, "n"] | None,
    *,
    strategy: str,
    count: int,
    seed: int,
    vectors: Float[Tensor, "m d"] | None = None,
    frequencies: Float[Tensor, "l"] | Int[Tensor, "l"] | None = None,
    **options: Any,
) -> Int[Tensor, "k"]:
    """Anchor rows of a gallery by a named strategy.

    Parameters
    ----------
    labels: classes of the gallery's n samples.
    count: number of anchors k, 1 to n.
    seed: 0 or more; equal seeds give equal anchors.
    vectors, frequencies: what else is known of the n samples; some strategies need it.
    options: further keywords that the strategy declares.

    Raises
    ------
    UnknownName: no such strategy, or no such option of it.
    BadChoice: count, seed or an option out of range, something that the strategy needs is missing, unlike numbers of
        rows, or vectors or frequencies that are not finite.

    >>> import torch
    >>> select_anchors(torch.tensor([0, 1, 0, 1]), strategy="uniform", count=4, seed=1).sort().values.tolist()
    [0, 1, 2, 3]
    """
    if strategy not in STRATEGIES:
        raise UnknownName("anchor strategy", strategy, STRATEGIES)
    entry, gallery = STRATEGIES[strategy], Gallery(labels, vectors, frequencies)
    check_gallery(gallery)
    check_count(count, len(gallery), "gallery rows", seed=seed)
    check_options(entry, options)
    return entry.function(gallery, count, seed=seed, **options)
