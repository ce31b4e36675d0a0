"""Least squares without a bias, and with a penalty."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.registry import Option
from relviz.core.translations.entry import CUT, RIGID, TRANSLATIONS, TranslationEntry, framed
from relviz.core.translations.kernels import Digits, linear_map, with_bias
from relviz.core.translations.translation import Translation, fit_translation
from relviz.errors import BadChoice

_TINY = torch.finfo(torch.float64).tiny


def linear(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "none", unit_norm: bool = False
) -> Translation:
    """Least squares without a bias; with fewer anchors than dimensions the matrix of least norm.

    Passes through the anchors exactly when they are at most as many as the dimensions, which is overfitting, and sends
    what is orthogonal to all anchors to zero: a space comes back from itself only when its anchors have full rank.
    In a centred frame it equals `affine`; hence "none" by default.
    Source: 2311.00664, `linear`.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(linear(x, 5 * x)(x), 5 * x.double())
    True
    """
    return fit_translation(source, target, by=linear_map, normalise=normalise, unit_norm=unit_norm)


TRANSLATIONS["linear"] = TranslationEntry(
    label="Linear",
    function=linear,
    summary="least squares without a bias",
    source="2311.00664",
    invariances=RIGID - {"translation"} | {"isotropic scale", "linear"},
    options=framed("none"),
    comes_back="full rank",
    detail="In a centred or standardised frame, where nothing is left for a bias, it is the same map as affine. " + CUT,
)


def ridge(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    penalty: float = 0.01,
    normalise: str = "centre",
    unit_norm: bool = False,
) -> Translation:
    """Affine map with a penalty on the matrix, not on the bias: never exact, and calm with few anchors.

    Source: Hoerl and Kennard 1970.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.
    penalty: in mean eigenvalues of the covariance of the source anchors in their frame, 1e-6 or more.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, not finite, or a penalty out of its range.

    >>> x = torch.tensor([[1.0], [-1.0]])
    >>> ridge(x, 4 * x, penalty=1.0).matrix.tolist()
    [[2.0]]
    """
    if not 1e-6 <= penalty < float("inf"):
        raise BadChoice(f"The penalty {penalty} is not 1e-6 or more.", "Choose 1e-6 to 100 mean eigenvalues.")
    by = partial(with_bias, core=partial(_penalised, penalty=penalty))
    return fit_translation(source, target, by=by, normalise=normalise, unit_norm=unit_norm)


TRANSLATIONS["ridge"] = TranslationEntry(
    label="Ridge",
    function=ridge,
    summary="affine with a penalty, calmer with few anchors",
    source="Hoerl and Kennard 1970",
    invariances=RIGID | {"isotropic scale"},
    options=(
        Option("penalty", 0.01, "in mean eigenvalues of the anchors' covariance", low=1e-6, high=100.0),
        *framed("centre"),
    ),
    comes_back="never",
)


def _penalised(x: Tensor, y: Tensor, _digits: Digits, *, penalty: float) -> tuple[Tensor, Tensor]:
    """Least squares with a penalty on the matrix."""
    gram = x.T @ x
    gram.diagonal().add_(penalty * gram.diagonal().mean().clamp_min(_TINY))
    return torch.cholesky_solve(x.T @ y, torch.linalg.cholesky(gram)), torch.zeros_like(y[0])
