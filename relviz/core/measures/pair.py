"""Two spaces over the same samples, with the passes over them that several measures share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from relviz import settings
from relviz.core.measures.crossing import Crossing, cross
from relviz.core.measures.kernel_sums import KernelSums, kernel_sums
from relviz.core.measures.space import Space
from relviz.core.moments import Moments, moments, swap
from relviz.core.neighbours import Scores, jaccard_index
from relviz.errors import BadChoice


class Pair:
    """Spaces A (`n x d`) and B (`n x e`) over the same n samples, with the passes over them that measures share.

    Parameters
    ----------
    a, b: vectors of any real type, or `Space`s that several pairs share. The wider of the two types is used for both.
    k: neighbours of the retrieval measures, 1 to n - 1.
    memory: bytes that one block of a kernel may take; values do not depend on it.

    Raises
    ------
    BadChoice: unlike numbers of rows, fewer than 2 of them, k out of range, or complex values.
    """

    def __init__(
        self,
        a: Real[Tensor, "n d"] | Space,
        b: Real[Tensor, "m e"] | Space,
        *,
        k: int,
        memory: int = settings.MEMORY,
    ) -> None:
        self.space_a, self.space_b = (z if isinstance(z, Space) else Space(z, memory=memory) for z in (a, b))
        self.n, self.k, self.memory = self.space_a.n, k, memory
        _check(self.n, self.space_b.n, k)
        if self.space_a.x.dtype != self.space_b.x.dtype:
            self.space_a, self.space_b = (Space(z.x.double(), memory=memory) for z in (self.space_a, self.space_b))
        self.a, self.b = self.space_a.x, self.space_b.x
        self._back: Pair | None = None
        self._kernels: dict[float, KernelSums] = {}

    @property
    def flipped(self) -> Pair:
        """B to A. Both directions share every pass; their retrieval is one pass when this is asked for before it."""
        if self._back is None:
            self._back = Pair(self.space_b, self.space_a, k=self.k, memory=self.memory)
            self._back._back = self
        return self._back

    @cached_property
    def moments(self) -> Moments:
        """First and second moments of the narrow coordinates of both spaces, products in the precision of the spaces.

        Raises
        ------
        BadChoice: they would not fit `settings.MOMENTS`.
        """
        return self._moments("moments", precise=False)

    @cached_property
    def precise_moments(self) -> Moments:
        """The same with products in float64, for measures that divide by small variances or subtract like sums."""
        return self.moments if self.a.dtype == torch.float64 else self._moments("precise_moments", precise=True)

    @cached_property
    def neighbours_a(self) -> Int[Tensor, "n k"]:
        """The k other samples nearest to each in A, by cosine."""
        return self.space_a.neighbours(self.k)

    @cached_property
    def neighbours_b(self) -> Int[Tensor, "n k"]:
        """The k other samples nearest to each in B, by cosine."""
        return self.space_b.neighbours(self.k)

    @cached_property
    def own(self) -> Float[Tensor, n]:
        """Score of each sample's two vectors, in float64: their cosine similarity less 1, 0 of two zero vectors."""
        if self._back is not None and "own" in vars(self._back):
            return self._back.own
        a, b = self.space_a.directions, self.space_b.directions
        rows = torch.arange(self.n, device=a.x.device)
        return Scores(a, b).pairs(rows, rows, self.memory)

    @property
    def cosines(self) -> Float[Tensor, n]:
        """Cosine similarity of each sample's two vectors, in float64; 0 where one is zero, 1 where both are."""
        known = [space.directions.scale > 0 for space in (self.space_a, self.space_b)]
        return torch.where(known[0] & known[1], 1 + self.own, (known[0] == known[1]).double())

    @cached_property
    def crossing(self) -> Crossing:
        """What searching B with A's vectors finds."""
        a, b, both = self.space_a.directions, self.space_b.directions, self._back is not None
        forth, back = cross(a, b, self.k, own=self.own, both=both, memory=self.memory)
        if self._back is not None and back is not None:
            vars(self._back)["crossing"] = back
        return forth

    @cached_property
    def retrieval(self) -> Retrieval:
        """Jaccard index and rank of every sample, searching B with A's vectors."""
        return Retrieval(jaccard_index(self.crossing.found, self.space_b.nearest(self.k)), self.crossing.rank)

    def kernels(self, bandwidth: float) -> KernelSums | None:
        """Sums over both RBF kernel matrices, None where a space's sampled rows are all alike.

        Parameters
        ----------
        bandwidth: as a share of the median distance, above 0.

        Raises
        ------
        BadChoice: a bandwidth of 0 or less.
        """
        if not bandwidth > 0:
            raise BadChoice(f"A bandwidth of {bandwidth} is not above 0.", "Choose 1, say.")
        squares = self.space_a.median_square, self.space_b.median_square
        if not min(squares) > 0:
            return None
        if bandwidth not in self._kernels:
            a, b = (bandwidth**2 * square for square in squares)
            self._kernels[bandwidth] = kernel_sums(self.a, self.b, a, b, memory=self.memory)
        return self._kernels[bandwidth]

    @cached_property
    def alike(self) -> bool:
        """Whether both spaces hold the same vectors."""
        return self.a is self.b or (self.a.shape == self.b.shape and bool(self.a.equal(self.b)))

    @property
    def incomparable(self) -> str | None:
        """Why vectors of A cannot be compared with vectors of B, if so."""
        d, e = self.space_a.width, self.space_b.width
        return None if d == e else f"the widths differ ({d} and {e}), so no vector of A can be compared with one of B"

    @property
    def unusable(self) -> str | None:
        """Why no measure can be computed, if so."""
        return self.space_a.unusable or self.space_b.unusable

    @property
    def still(self) -> str | None:
        """Why no measure of shape can be computed, if so."""
        return self.space_a.still or self.space_b.still

    def _moments(self, name: str, *, precise: bool) -> Moments:
        if self._back is not None and name in vars(self._back):
            return swap(vars(self._back)[name])
        d, e = (min(self.n, space.width) for space in (self.space_a, self.space_b))
        needed = 8 * (d * d + e * e + d * e)
        if needed > settings.MOMENTS:
            raise BadChoice(
                f"Products of {self.n:,} samples in {self.space_a.width:,} and {self.space_b.width:,} dimensions "
                f"take {needed / 2**30:.0f} GiB.",
                "Measure fewer samples, or reduce the widths first.",
            )
        x, y = self.space_a.narrow[0], self.space_b.narrow[0]
        return moments(x, y, precise=precise, memory=self.memory)


@dataclass(frozen=True)
class Retrieval:
    """What A's vectors find in B: each sample's Jaccard index of two lists, and its own rank from 1 to n."""

    jaccard: Float[Tensor, n]
    rank: Int[Tensor, n]


def _check(n: int, m: int, k: int) -> None:
    if n != m:
        raise BadChoice(f"The two spaces hold {n} and {m} samples.", "Measure both on the same samples.")
    if n < 2:
        raise BadChoice(f"{n} samples are too few to measure.", "Measure at least 2.")
    if not 1 <= k < n:
        raise BadChoice(f"k = {k} is not between 1 and {n - 1}, one less than the samples.", "Choose another k.")
