"""Normalisation before and after a projection.

Before: a `Normaliser` is fitted on the rows it is given, the anchors alone or the whole gallery by the caller's choice,
then applied to any rows of that space. After: a function of the relative coordinates, each row by itself.

No choice is hard-wired: taking out every feature's own spread helps where a few features outweigh the rest and destroys
the rotation between two spaces whose spread differs by direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.options import check_options
from relviz.core.projections import layer_norm
from relviz.core.projections.kernels import clamped
from relviz.core.registry import Entry, Option
from relviz.core.translations.frames import centred, spread_of
from relviz.core.values import checked
from relviz.errors import BadChoice, UnknownName

_LARGEST = 1e150  # whose square float64 still holds


@dataclass(frozen=True)
class Normaliser:
    """y = (x - shift) / scale, then, where a norm `p` is set, every row divided by its p-norm.

    Attributes
    ----------
    shift, scale: `d` values in float64; no scale is 0.
    p: the norm's exponent, 1 or more, infinity for the largest value; None leaves lengths alone.
    length: mean p-norm of the fitted rows after shift and scale, which `undo` gives back to every row.
    """

    shift: Float[Tensor, "d"]
    scale: Float[Tensor, "d"]
    p: float | None = None
    length: float = 1.0

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Rows of the space, normalised; a zero row stays zero."""
        found = (x.double() - self.shift) / self.scale
        return clamped(found if self.p is None else _to_length_one(found, self.p), x.dtype)

    def undo(self, y: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Normalised rows, back in the space: exact but for a norm, where every row gets the mean norm of the fitted
        rows (2311.00664, its restoration of norms)."""
        longer = y.double() * (1.0 if self.p is None else self.length)
        return clamped(longer * self.scale + self.shift, y.dtype)


def no_normalisation(rows: Float[Tensor, "n d"]) -> Normaliser:
    """Vectors as they are. Source: 2209.15430.

    Raises nothing for one row or more.

    >>> no_normalisation(torch.ones(2, 3))(torch.ones(1, 3)).tolist()
    [[1.0, 1.0, 1.0]]
    """
    return Normaliser(rows.new_zeros(rows.shape[1], dtype=torch.float64), _ones(rows))


def centre(rows: Float[Tensor, "n d"]) -> Normaliser:
    """Minus the rows' mean. Source: 2311.00664.

    Raises nothing for one row or more.

    >>> centre(torch.tensor([[1.0], [3.0]]))(torch.tensor([[5.0]])).tolist()
    [[3.0]]
    """
    return Normaliser(centred(rows.double())[0], _ones(rows))


def standard(rows: Float[Tensor, "n d"]) -> Normaliser:
    """Minus the rows' mean, over their standard deviation (n - 1 in its denominator), feature by feature.

    A feature that does not vary is only shifted. Source: 2311.00664.

    Raises nothing for one row or more.

    >>> standard(torch.tensor([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]]))(torch.tensor([[4.0, 9.0]])).tolist()
    [[2.0, 2.0]]
    """
    mean, vectors = centred(rows.double())
    return Normaliser(mean, spread_of(vectors))


def l2(rows: Float[Tensor, "n d"]) -> Normaliser:
    """Every row over its Euclidean length. Source: latentis; the code of 2311.00664.

    Raises nothing for one row or more.

    >>> l2(torch.tensor([[0.0, 2.0]]))(torch.tensor([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    return lp(rows, p=2.0)


def lp(rows: Float[Tensor, "n d"], *, p: float = 1.0) -> Normaliser:
    """Every row over its p-norm. Source: latentis.

    Parameters
    ----------
    p: 1 or more; infinity for the largest absolute value.

    Raises
    ------
    BadChoice: p is below 1.

    >>> lp(torch.tensor([[1.0, 1.0]]), p=1.0)(torch.tensor([[1.0, 3.0]])).tolist()
    [[0.25, 0.75]]
    """
    if not p >= 1:
        raise BadChoice(f"p = {p} is below 1.", "Choose 1 or more.")
    length = float(_lengths(rows.double(), p).mean())
    return Normaliser(rows.new_zeros(rows.shape[1], dtype=torch.float64), _ones(rows), p, length)


def unchanged(x: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Relative coordinates as they are. Source: 2209.15430.

    Raises nothing.

    >>> unchanged(torch.ones(1, 2)).tolist()
    [[1.0, 1.0]]
    """
    return x


def unit_length(x: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """Every row of relative coordinates over its Euclidean length; a zero row stays zero. Source: 2209.15430.

    Raises nothing.

    >>> unit_length(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    return _to_length_one(x, 2.0)


_SCALE = frozenset({"isotropic scale"})

PRE_NORMALISATIONS: dict[str, Entry[Callable[..., Normaliser]]] = {
    "none": Entry(label="None", function=no_normalisation, summary="vectors as they are", source="2209.15430"),
    "centre": Entry(
        label="Centre",
        function=centre,
        summary="minus the mean",
        source="2311.00664",
        invariances=frozenset({"translation"}),
    ),
    "standard": Entry(
        label="Standard",
        function=standard,
        summary="minus the mean, over each feature's own standard deviation",
        source="2311.00664",
        invariances=_SCALE | {"translation"},
    ),
    "l2": Entry(label="L2", function=l2, summary="every vector at length one", source="2311.00664", invariances=_SCALE),
    "lp": Entry(
        label="Lp",
        function=lp,
        summary="every vector at p-norm one",
        source="latentis",
        invariances=_SCALE,
        options=(Option("p", 1.0, "exponent of the norm", low=1.0),),
    ),
}

POST_NORMALISATIONS: dict[str, Entry[Callable[[Tensor], Tensor]]] = {
    "none": Entry(label="None", function=unchanged, summary="coordinates as they are", source="2209.15430"),
    "l2": Entry(
        label="L2",
        function=unit_length,
        summary="every row of coordinates at length one",
        source="2209.15430",
        invariances=_SCALE,
    ),
    "layer-norm": Entry(
        label="LayerNorm",
        function=layer_norm,
        summary="every row of coordinates with mean 0 and variance 1",
        source="2209.15430",
    ),
}


def fit_normaliser(rows: Float[Tensor, "n d"], *, name: str, **options: Any) -> Normaliser:
    """A normalisation of vectors, by name, fitted on given rows: the anchors alone, or the whole gallery.

    Parameters
    ----------
    rows: 1 or more vectors whose statistics count.
    name: a key of `PRE_NORMALISATIONS`.
    options: keywords that it declares.

    Raises
    ------
    UnknownName: no such normalisation, or no such option of it.
    BadChoice: no rows, values that are not finite or beyond 1e150, or an option out of range.

    >>> fit_normaliser(torch.tensor([[1.0], [3.0]]), name="centre").shift.tolist()
    [2.0]
    """
    if name not in PRE_NORMALISATIONS:
        raise UnknownName("normalisation", name, PRE_NORMALISATIONS)
    if rows.numel() == 0:
        raise BadChoice("There are no vectors to fit a normalisation on.", "Give at least 1.")
    if checked(rows, "vectors") > _LARGEST:
        raise BadChoice(f"The vectors hold values beyond {_LARGEST:g}.", "Scale them down.")
    check_options(PRE_NORMALISATIONS[name], options)
    return PRE_NORMALISATIONS[name].function(rows, **options)


def post_normalise(x: Float[Tensor, "n k"], *, name: str) -> Float[Tensor, "n k"]:
    """Relative coordinates, normalised by name.

    Raises
    ------
    UnknownName: no such normalisation.
    BadChoice: values that are not finite.

    >>> post_normalise(torch.tensor([[0.0, 2.0]]), name="l2").tolist()
    [[0.0, 1.0]]
    """
    if name not in POST_NORMALISATIONS:
        raise UnknownName("normalisation of coordinates", name, POST_NORMALISATIONS)
    checked(x, "coordinates")
    return POST_NORMALISATIONS[name].function(x)


def _to_length_one(x: Tensor, p: float) -> Tensor:
    tiny = torch.finfo(x.dtype).tiny
    x = x / x.abs().amax(1, keepdim=True).clamp_min(tiny)
    return x / _lengths(x, p).clamp_min(tiny)


def _lengths(x: Tensor, p: float) -> Tensor:
    """p-norms of rows in a column, by way of their largest values: powers of huge and tiny values leave the range."""
    largest = x.abs().amax(1, keepdim=True)
    return largest * torch.linalg.vector_norm(
        x / largest.clamp_min(torch.finfo(x.dtype).tiny), ord=p, dim=1, keepdim=True
    )


def _ones(rows: Tensor) -> Tensor:
    return rows.new_ones(rows.shape[1], dtype=torch.float64)
