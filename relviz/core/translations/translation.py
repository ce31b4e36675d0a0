"""Maps from one absolute space to another, and how they are fitted between the frames of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.neighbours import unit_rows
from relviz.core.rounding import is_short, rounding
from relviz.core.translations.frames import inside
from relviz.core.translations.kernels import Digits, TranslationMap
from relviz.core.values import finite
from relviz.errors import BadChoice


@dataclass(frozen=True)
class Translation:
    """y = (x - source_mean) matrix + target_mean, in float64.

    Attributes
    ----------
    matrix: `d x e`.
    unit_spread: None, or the spreads by which the features of x - source_mean are divided before its rows are brought
        to unit length and multiplied with the matrix.
    """

    source_mean: Float[Tensor, "d"]
    matrix: Float[Tensor, "d e"]
    target_mean: Float[Tensor, "e"]
    unit_spread: Float[Tensor, "d"] | None = None

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """Vectors of the source space, in the target space.

        Raises
        ------
        BadChoice: vectors of another width, or not finite.
        """
        if x.shape[1] != len(self.source_mean):
            raise BadChoice(
                f"The vectors have {x.shape[1]} features, the translation reads {len(self.source_mean)}.",
                "Translate vectors of the space it was fitted on.",
            )
        inner = x.detach().double() - self.source_mean
        if self.unit_spread is not None:
            inner = unit_rows(inner / self.unit_spread)
        return finite(inner @ self.matrix + self.target_mean, "translated vectors")


def fit_translation(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    by: TranslationMap,
    normalise: str,
    unit_norm: bool,
) -> Translation:
    """The translation that a map between anchors in their frames gives.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    by: what fits the map, once both are in their frames.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> from relviz.core.translations.kernels import linear_map
    >>> x = torch.eye(2)
    >>> fit_translation(x, 3 * x, by=linear_map, normalise="none", unit_norm=False).matrix.round().tolist()
    [[3.0, 0.0], [0.0, 3.0]]
    """
    if len(source) != len(target):
        raise BadChoice(
            f"There are {len(source)} source and {len(target)} target anchors.", "Give the same anchors in both spaces."
        )
    (here, x), (there, y) = (inside(anchors, normalise=normalise) for anchors in (source, target))
    precision = torch.float64 if source.dtype == target.dtype == torch.float64 else torch.float32
    eps = torch.finfo(torch.float32 if is_short(source) else torch.float64).eps
    digits = Digits(precision, eps, rounding(source.detach()) / here.spread.square())
    if not unit_norm:
        matrix, bias = by(x, y, digits)
        return Translation(here.mean, matrix * there.spread / here.spread[:, None], there.out_of(bias[None])[0])
    shorter = x.square().sum(1).mean().clamp_min(torch.finfo(x.dtype).tiny)
    matrix, bias = by(unit_rows(x), unit_rows(y), replace(digits, noise=digits.noise / shorter))
    back = replace(there, spread=there.spread * y.norm(dim=1).mean())
    return Translation(here.mean, matrix * back.spread, back.out_of(bias[None])[0], here.spread)
