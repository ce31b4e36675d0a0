"""Least squares with a bias."""

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


def affine(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """Least squares with a bias, in closed form: what the gradient descent of 2311.00664 heads for.

    The frame matters only below full rank, where it says which matrix has least norm; a space comes back from itself
    only when its centred anchors have full rank. Source: 2311.00664, `affine`.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(affine(x, 5 * x + 7)(x), 5 * x.double() + 7)
    True
    """
    return fit_translation(
        source, target, by=partial(with_bias, core=linear_map), normalise=normalise, unit_norm=unit_norm
    )


TRANSLATIONS["affine"] = TranslationEntry(
    label="Affine",
    function=affine,
    summary="least squares with a bias, in closed form",
    source="2311.00664",
    invariances=RIGID | {"isotropic scale", "linear"},
    options=framed("centre"),
    comes_back="full rank",
    detail="Its frame matters only below full rank, where it says which of many maps is the smallest; the paper's "
    "gradient descent heads for it. " + CUT,
)


def affine_gradient(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    steps: int = 300,
    rate: float = 1e-3,
    seed: int = 0,
    normalise: str = "standard",
    unit_norm: bool = False,
) -> Translation:
    """Affine map by Adam on the mean squared error, from a seeded random start. Source: 2311.00664, `affine`.

    Stops long before the minimum, so that a space does not come back from itself; `affine` is the minimum itself.
    The standard frame by default because one learning rate must suit all features.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.
    steps: of Adam over all anchors at once, 0 or more.
    rate: learning rate, above 0.
    seed: of the start, 0 or more.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, not finite, or steps, rate or seed out of their ranges.

    >>> x = torch.eye(3)
    >>> torch.equal(affine_gradient(x, x, seed=1).matrix, affine_gradient(x, x, seed=1).matrix)
    True
    """
    if steps < 0 or seed < 0 or not 0 < rate < float("inf"):
        raise BadChoice(f"{steps} steps, rate {rate} and seed {seed} cannot be trained.", "None may be negative.")
    by = partial(_by_gradient, steps=steps, rate=rate, seed=seed)
    return fit_translation(source, target, by=by, normalise=normalise, unit_norm=unit_norm)


TRANSLATIONS["affine-gradient"] = TranslationEntry(
    label="Affine, by gradient",
    function=affine_gradient,
    summary="least squares with a bias, by some steps of Adam",
    source="2311.00664",
    invariances=frozenset({"isotropic scale", "translation"}),
    options=(
        Option("steps", 300, "steps of Adam", low=0.0, high=5000.0),
        Option("rate", 1e-3, "learning rate", low=1e-6, high=1.0),
        Option("seed", 0, "seed of the random start", low=0.0),
        *framed("standard"),
    ),
    comes_back="never",
    slow=True,
    detail="As in the paper; stops long before the minimum, from a random start. A feature that is 0 at every "
    "anchor in its frame has no say.",
)


def _by_gradient(x: Tensor, y: Tensor, digits: Digits, *, steps: int, rate: float, seed: int) -> tuple[Tensor, Tensor]:
    """Least squares with a bias by Adam; a feature that is 0 at every anchor gets no say, as no step moves it."""
    huge = max(float(x.abs().amax()), float(y.abs().amax())) > 1e15  # squared errors would leave single precision
    precision = torch.float64 if huge else digits.precision
    with torch.inference_mode(False), torch.enable_grad():
        x, y = x.to(precision, copy=True), y.to(precision, copy=True)
        bound, generator = x.shape[1] ** -0.5, torch.Generator().manual_seed(seed)  # the usual start of a linear layer
        shapes = ((y.shape[1], x.shape[1]), (y.shape[1],))
        starts = [torch.empty(s, dtype=precision).uniform_(-bound, bound, generator=generator) for s in shapes]
        weight, bias = (start.to(x.device).requires_grad_() for start in starts)
        optimiser = torch.optim.Adam([weight, bias], lr=rate)
        for _ in range(steps):
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(torch.nn.functional.linear(x, weight, bias), y).backward()
            optimiser.step()
        matrix = weight.detach().T.double()
        return matrix.masked_fill((x == 0).all(0)[:, None], 0.0), bias.detach().double()
