"""One space as the measures read it, with everything that depends on it alone computed once."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from relviz import settings
from relviz.core.neighbours import Points, directions, nearest_within
from relviz.core.rounding import lost, rounding
from relviz.errors import BadChoice

SAMPLE = 2000  # rows on which all pairwise distances are looked at, at most
_FLOOR = 2.0**-47  # of the largest variance: below, noise of float64 products, of which 4 eps were measured
_SAFE = 2.0**20  # the largest size of a value whose squares and fourth powers float32 sums hold with ease


class Space:
    """A space `n x d`; hand it to several `Pair`s and its searches and sorted distances are not repeated.

    Parameters
    ----------
    x: vectors of any real type. float64 stays; every other type is read as float32. A space with values too large or
        too small for their squares is scaled by a power of two, which no measure can see.
    memory: bytes that a block of a kernel may take.

    Raises
    ------
    BadChoice: complex values.

    >>> Space(torch.tensor([[1, 2], [3, 4]])).x.dtype
    torch.float32
    """

    def __init__(self, x: Real[Tensor, "n d"], *, memory: int = settings.MEMORY) -> None:
        if x.is_complex():
            raise BadChoice("A space holds complex values.", "Measure the real and imaginary parts side by side.")
        real = x.detach() if x.dtype in (torch.float32, torch.float64) else x.detach().to(torch.float32)
        self.n, self.width, self.memory = *real.shape, memory
        self._peak = max((abs(float(end)) for end in real.aminmax()), default=0.0) if real.numel() else 0.0
        self.x = _rescaled(real, self._peak)
        self._nearest: dict[int, Tensor] = {}
        self._axes: tuple[Tensor, Tensor] | None = None

    @property
    def unusable(self) -> str | None:
        """Why no measure can be computed, if so."""
        if self.width == 0:
            return "a space has no features"
        return None if math.isfinite(self._peak) else "a space holds values that are not finite"

    @cached_property
    def still(self) -> str | None:
        """Why a measure of shape cannot be computed, if so."""
        return "a space does not vary over the samples" if bool((self.x == self.x[:1]).all()) else None

    @cached_property
    def directions(self) -> Points:
        """Rows of length one, for searches."""
        return directions(self.x)

    @cached_property
    def narrow(self) -> tuple[Float[Tensor, "n w"], Float[Tensor, "d w"] | None]:
        """Coordinates whose inner products are those of `x`, and the orthonormal basis (columns) they are along.

        A space wider than it has samples lies in as many dimensions as samples: its sums of `d x d` products, which
        may not fit the memory, become `n x n`; in float64, as rounding would turn it. Any other space is as given and
        needs no basis.
        """
        if self.width <= self.n:
            return self.x, None
        basis, coordinates = torch.linalg.qr(self.x.double().T)
        return coordinates.T, basis

    def nearest(self, k: int) -> Int[Tensor, "n k"]:
        """The k rows nearest to each row by cosine, nearest first: the row itself, then the first of `neighbours`."""
        own = torch.arange(self.n, device=self.x.device)[:, None]
        return torch.cat([own, self.neighbours(k)[:, : k - 1]], dim=1)

    def neighbours(self, k: int) -> Int[Tensor, "n k"]:
        """The k other rows nearest to each row by cosine, nearest first; `relviz.core.neighbours` says how ties go."""
        if k not in self._nearest:
            self._nearest[k] = nearest_within(self.directions, k, memory=self.memory)
        return self._nearest[k]

    def axes(self, gram: Float[Tensor, "w w"]) -> tuple[Float[Tensor, "a"], Float[Tensor, "w a"]]:
        """Variances (times n) and directions (columns) of its principal axes, widest first, those of rounding left out.

        Two kinds are left out: axes below 8.4e-8 of the widest in standard deviation, of which second moments know
        nothing, and axes that vary by no more than rounding every value to float32 would make them.

        Parameters
        ----------
        gram: centred second moments of its narrow coordinates, X_c'X_c, from products in float64.
        """
        if self._axes is None:
            variances, directions = (found.flip(-1) for found in torch.linalg.eigh(gram))
            basis = self.narrow[1]
            features = directions if basis is None else basis @ directions
            noise = lost(features, rounding(self.x, memory=self.memory), n=self.n)
            real = variances > torch.maximum(_FLOOR * variances[0], noise)
            self._axes = variances[real], directions[:, real]
        return self._axes

    @cached_property
    def median_square(self) -> float:
        """Lower median of the squared distances between rows that differ, 0 if none do; on `sample_rows`."""
        squares = _squared_distances(self.x)
        apart = squares[squares > 0]
        return float(apart.median()) if len(apart) else 0.0

    @cached_property
    def distance_ranks(self) -> Float[Tensor, p]:
        """Rank of the Euclidean distance of each pair of rows, equal ones sharing a mean rank; of `sample_rows`."""
        return _mean_ranks(_squared_distances(self.x))


def sample_rows(n: int) -> Int[Tensor, m]:
    """The rows on which all pairwise distances are looked at: all up to 2,000, else 2,000 drawn with a fixed seed.

    Raises nothing.

    >>> len(sample_rows(5)), len(sample_rows(10_000))
    (5, 2000)
    """
    if n <= SAMPLE:
        return torch.arange(n)
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))[:SAMPLE].sort().values


def _rescaled(x: Tensor, peak: float) -> Tensor:
    if not math.isfinite(peak) or peak == 0 or 1 / _SAFE <= peak <= _SAFE:
        return x
    most = 126 if x.dtype == torch.float32 else 1022
    exponent = max(-most, min(most, -math.frexp(peak)[1]))
    return x * 2.0**exponent


def _squared_distances(x: Tensor) -> Tensor:
    """Squared distance of each pair of the sampled rows, in float64; of equal rows 0."""
    x = x[sample_rows(len(x)).to(x.device)]
    x = x.double() - x.mean(0, dtype=torch.float64)
    sizes = x.square().sum(1)
    first, second = torch.triu_indices(len(x), len(x), offset=1, device=x.device)
    both = sizes[first] + sizes[second]
    squares = both - 2 * (x @ x.T)[first, second]
    # Rounding of this expansion.
    return torch.where(squares > 16 * torch.finfo(torch.float64).eps * both, squares, 0.0)


def _mean_ranks(values: Tensor) -> Tensor:
    """Ranks from 1, of values of at least 0; those that differ by rounding alone share their mean rank."""
    ordered, order = values.sort()
    apart = ordered[1:] > ordered[:-1] * (1 + 1e-12)
    group = torch.nn.functional.pad(apart.cumsum(0), (1, 0))
    counts = group.bincount()
    means = counts.cumsum(0) - (counts - 1) / 2
    return values.new_empty(len(values), dtype=torch.float32).scatter_(0, order, means[group].float())
