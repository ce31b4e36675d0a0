"""Two spaces over the same samples, with the passes over them that several measures share."""

from __future__ import annotations

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.moments import Moments, moments
from relviz.core.neighbours import score_blocks, shared_count, unit_rows
from relviz.errors import BadChoice


class Pair:
    """Spaces A (`n x d`) and B (`n x e`) over the same n samples, with the passes over them that measures share.

    Parameters
    ----------
    k: neighbours of the retrieval measures, 1 to n - 1.

    Raises
    ------
    BadChoice: unlike numbers of rows, or k out of range.
    """

    def __init__(self, a: Float[Tensor, "n d"], b: Float[Tensor, "m e"], *, k: int) -> None:
        if len(a) != len(b):
            raise BadChoice(f"The two spaces hold {len(a)} and {len(b)} samples.", "Measure both on the same samples.")
        if not 1 <= k < len(a):
            raise BadChoice(
                f"k = {k} is not between 1 and {len(a) - 1}, one less than the samples.", "Choose another k."
            )
        self.a, self.b, self.k, self.n = a, b, k, len(a)

    @cached_property
    def moments(self) -> Moments:
        """First and second moments."""
        return moments(self.a, self.b)

    @cached_property
    def unit(self) -> tuple[Tensor, Tensor]:
        """Both spaces with rows of length one."""
        return unit_rows(self.a), unit_rows(self.b)

    @cached_property
    def retrieval(self) -> tuple[Tensor, Tensor]:
        """Jaccard index and reciprocal rank of every sample, searching B with A's vectors."""
        a, b = self.unit
        found = [_retrieve(start, scores, b, self.k) for start, scores in score_blocks(a, b)]
        jaccard, reciprocal_rank = (torch.cat(parts) for parts in zip(*found, strict=True))
        return jaccard, reciprocal_rank

    @property
    def incomparable(self) -> str | None:
        """Why vectors of A cannot be compared with vectors of B, if so."""
        d, e = self.a.shape[1], self.b.shape[1]
        return None if d == e else f"the widths differ ({d} and {e}), so no vector of A can be compared with one of B"

    @cached_property
    def unusable(self) -> str | None:
        """Why no measure can be computed, if so."""
        finite = bool(torch.isfinite(self.a).all() and torch.isfinite(self.b).all())
        return None if finite else "a space holds values that are not finite"


def _retrieve(start: int, scores: Tensor, b: Tensor, k: int) -> tuple[Tensor, Tensor]:
    rows = torch.arange(len(scores))
    found = scores.topk(k, dim=1).indices
    target = (b[start : start + len(scores)] @ b.T).topk(k, dim=1).indices
    shared = shared_count(found, target).double()
    own = scores[rows, start + rows, None]
    earlier = torch.arange(scores.shape[1]) < (start + rows)[:, None]  # equal scores: the earlier row is the nearer
    rank = 1 + ((scores > own) | ((scores == own) & earlier)).sum(1)
    return shared / (2 * k - shared), torch.where(rank <= k, 1 / rank.double(), 0.0)
