"""Agreement of neighbourhoods, each searched in its own space: the widths may differ."""

from __future__ import annotations

from jaxtyping import Float, Real
from torch import Tensor

from relviz import settings
from relviz.core.measures.measure import DIRECTIONS, MEASURES, Measure
from relviz.core.measures.pair import Pair
from relviz.core.measures.space import Space
from relviz.core.neighbours import jaccard_index, kept_share
from relviz.errors import BadChoice
from relviz.types import MeasureValue


def mutual_knn(pair: Pair) -> MeasureValue:
    """Mean share of the k nearest others by cosine in A that are among those in B, in [0, 1].

    Invariant to orthogonal maps and isotropic scale. Source: Huh et al. 2024 (2405.07987).

    Raises nothing: `Pair` has checked both spaces.

    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> mutual_knn(Pair(x, x.flip(1), k=1)).value
    1.0
    """
    shares = kept_share(pair.neighbours_a, pair.neighbours_b)
    return MeasureValue(float(shares.mean()), None, pair.n, chance=pair.k / (pair.n - 1))


MEASURES["mutual-knn"] = Measure(
    label="Mutual neighbours@{k}",
    function=mutual_knn,
    summary="neighbours shared, each space searched by itself",
    source="2405.07987",
    detail="Neighbours are by cosine; the sample itself is not among its k neighbours.",
    invariances=DIRECTIONS,
    low=0.0,
    high=1.0,
)


def neighbour_jaccard(pair: Pair) -> MeasureValue:
    """Mean Jaccard index of each sample's k nearest others by cosine in A and in B, in [0, 1].

    Unlike Jaccard@k of 2209.15430, no vector of one space searches the other and the sample itself does not count.
    Invariant to orthogonal maps and isotropic scale. Source: Klabunde et al. 2024 (2408.00531).

    Raises nothing: `Pair` has checked both spaces.

    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> neighbour_jaccard(Pair(x, x.flip(1), k=1)).value
    1.0
    """
    expected = pair.k**2 / (pair.n - 1)  # shared entries of two random lists
    mean = float(jaccard_index(pair.neighbours_a, pair.neighbours_b).mean())
    return MeasureValue(mean, None, pair.n, chance=expected / (2 * pair.k - expected))


MEASURES["neighbour-jaccard"] = Measure(
    label="Neighbour Jaccard@{k}",
    function=neighbour_jaccard,
    summary="overlap of neighbours, each space searched by itself",
    source="2408.00531",
    detail="Neighbours are by cosine; the sample itself is not among its k neighbours, unlike in Jaccard@k.",
    invariances=DIRECTIONS,
    low=0.0,
    high=1.0,
)


def local_agreement(
    a: Real[Tensor, "n d"] | Space, b: Real[Tensor, "n e"] | Space, *, k: int, memory: int = settings.MEMORY
) -> Float[Tensor, n]:
    """Each sample's own Jaccard index of its k nearest others by cosine in A and in B, in [0, 1].

    Its mean is `neighbour_jaccard`. A zero vector is near zero vectors only and equally far from all others; which of
    equally near samples count, `relviz.core.neighbours` says.

    Parameters
    ----------
    k: 1 to n - 1.
    memory: bytes that a block of scores may take.

    Raises
    ------
    BadChoice: what `Pair` refuses, or a space with values that are not finite.

    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> local_agreement(x, x, k=1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    pair = Pair(a, b, k=k, memory=memory)
    if pair.unusable:
        raise BadChoice(f"Neighbours cannot be compared: {pair.unusable}.", "Look at the values of both spaces.")
    return jaccard_index(pair.neighbours_a, pair.neighbours_b)
