"""Translations: direct maps from one absolute space to another, fitted on anchors.

All go the same way, in the order of 2311.00664: both spaces into the frame of their anchors, optionally rows to unit
length, zero padding where the map is orthogonal, the map, and all the way back. They differ in the map and in which
frame is their default: per-feature spreads help where encoders have outlier features, and destroy a rotation of a space
that is longer in some directions than in others. A new one is one function and one line in `TRANSLATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.inverse import NORMALISE, finite, inside
from relviz.core.neighbours import unit_rows
from relviz.core.registry import Entry, Option
from relviz.core.rounding import is_short, rounding
from relviz.core.translation_kernels import (
    Digits,
    TranslationMap,
    gradient_map,
    l_ortho_map,
    linear_map,
    ortho_map,
    ridge_map,
    with_bias,
)
from relviz.errors import BadChoice, UnknownName


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


def ortho(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    scale: bool = True,
    normalise: str = "centre",
    unit_norm: bool = False,
) -> Translation:
    """Orthogonal Procrustes with isotropic scale; the narrower space is zero padded.

    R = U V' from the singular value decomposition U S V' of X'Y (reflections allowed), scale = sum S / |X|^2, which
    minimises |scale X R - Y|. Where the anchors say nothing (fewer anchors than dimensions, or dead features) R is
    the orthogonal map nearest to the identity there, so that a space translated to itself comes back unchanged.
    Source: 2311.00664, `ortho` of its table of estimators; the scale because decoders read norms.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    scale: whether to fit the isotropic scale; 2311.00664 has none.
    normalise: frame of both spaces, one of `NORMALISE`; "standard" as in 2311.00664.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> rotation = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    >>> torch.allclose(ortho(x, 5 * x @ rotation)(x), 5 * (x @ rotation).double())
    True
    """
    return _fit(source, target, partial(ortho_map, scale=scale), normalise, unit_norm)


def ortho_rigid(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """Orthogonal Procrustes without a scale, as in 2311.00664: a rotation or reflection. Else as `ortho`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(ortho_rigid(x, 5 * x).matrix, torch.eye(2).double())
    True
    """
    return ortho(source, target, scale=False, normalise=normalise, unit_norm=unit_norm)


def l_ortho(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """The least-squares matrix with its singular values dropped: U V' of U S V'. Parameters and errors as `ortho`.

    Zero padding for unlike widths and the map nearest to the identity where the anchors say nothing, as in `ortho`.
    No scale: with `normalise="standard"` the spreads of the features carry it.
    Source: 2311.00664, `l-ortho`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(l_ortho(x, 5 * x).matrix, torch.eye(2).double())
    True
    """
    return _fit(source, target, l_ortho_map, normalise, unit_norm)


def linear(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "none", unit_norm: bool = False
) -> Translation:
    """Least squares without a bias; with fewer anchors than dimensions the matrix of least norm.

    Passes through the anchors exactly when they are at most as many as the dimensions, which is overfitting, and sends
    what is orthogonal to all anchors to zero: a space comes back from itself only when its anchors have full rank.
    In a centred frame it equals `affine`; hence "none" by default. Parameters and errors as `ortho`.
    Source: 2311.00664, `linear`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(linear(x, 5 * x)(x), 5 * x.double())
    True
    """
    return _fit(source, target, linear_map, normalise, unit_norm)


def affine(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """Least squares with a bias, in closed form: what the gradient descent of 2311.00664 heads for.

    The frame matters only below full rank, where it says which matrix has least norm; a space comes back from itself
    only when its centred anchors have full rank. Parameters and errors as `ortho`. Source: 2311.00664, `affine`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(affine(x, 5 * x + 7)(x), 5 * x.double() + 7)
    True
    """
    return _fit(source, target, partial(with_bias, core=linear_map), normalise, unit_norm)


def ridge(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    penalty: float = 0.01,
    normalise: str = "centre",
    unit_norm: bool = False,
) -> Translation:
    """Affine map with a penalty on the matrix, not on the bias: never exact, and calm with few anchors.

    Parameters and errors otherwise as `ortho`. Source: Hoerl and Kennard 1970.

    Parameters
    ----------
    penalty: in mean eigenvalues of the covariance of the source anchors in their frame, 1e-6 or more.

    >>> x = torch.tensor([[1.0], [-1.0]])
    >>> ridge(x, 4 * x, penalty=1.0).matrix.tolist()
    [[2.0]]
    """
    if not 1e-6 <= penalty < float("inf"):
        raise BadChoice(f"The penalty {penalty} is not 1e-6 or more.", "Choose 1e-6 to 100 mean eigenvalues.")
    core = partial(with_bias, core=partial(ridge_map, penalty=penalty))
    return _fit(source, target, core, normalise, unit_norm)


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
    The standard frame by default because one learning rate must suit all features. Parameters otherwise as `ortho`.

    Parameters
    ----------
    steps: of Adam over all anchors at once, 0 or more.
    rate: learning rate, above 0.
    seed: of the start, 0 or more.

    >>> x = torch.eye(3)
    >>> torch.equal(affine_gradient(x, x, seed=1).matrix, affine_gradient(x, x, seed=1).matrix)
    True
    """
    if steps < 0 or seed < 0 or not 0 < rate < float("inf"):
        raise BadChoice(f"{steps} steps, rate {rate} and seed {seed} cannot be trained.", "None may be negative.")
    core = partial(gradient_map, steps=steps, rate=rate, seed=seed)
    return _fit(source, target, core, normalise, unit_norm)


def _fit(source: Tensor, target: Tensor, core: TranslationMap, normalise: str, unit_norm: bool) -> Translation:
    if len(source) != len(target):
        raise BadChoice(
            f"There are {len(source)} source and {len(target)} target anchors.", "Give the same anchors in both spaces."
        )
    (here, x), (there, y) = (inside(anchors, normalise=normalise) for anchors in (source, target))
    precision = torch.float64 if source.dtype == target.dtype == torch.float64 else torch.float32
    eps = torch.finfo(torch.float32 if is_short(source) else torch.float64).eps
    digits = Digits(precision, eps, rounding(source.detach()) / here.spread.square())
    if not unit_norm:
        matrix, bias = core(x, y, digits)
        return Translation(here.mean, matrix * there.spread / here.spread[:, None], there.out_of(bias[None])[0])
    shorter = x.square().sum(1).mean().clamp_min(torch.finfo(x.dtype).tiny)
    matrix, bias = core(unit_rows(x), unit_rows(y), replace(digits, noise=digits.noise / shorter))
    back = replace(there, spread=there.spread * y.norm(dim=1).mean())
    return Translation(here.mean, matrix * back.spread, back.out_of(bias[None])[0], here.spread)


@dataclass(frozen=True, kw_only=True)
class TranslationEntry(Entry[Callable[..., Translation]]):
    """One registered translation: function(source anchors, target anchors, **options).

    `invariances` are those of the source space, anchors and vectors alike, with more anchors than dimensions.

    Attributes
    ----------
    comes_back: when a space translated to itself comes back, in the default frame: "always", "full rank" (as many
        independent anchors as dimensions, one more where the frame is centred) or "never".
    """

    comes_back: str


_RIGID = frozenset({"orthogonal", "translation", "permutation"})
_STEPS = Option("steps", 300, "steps of Adam", low=0.0, high=5000.0)
_RATE = Option("rate", 1e-3, "learning rate", low=1e-6, high=1.0)
_SEED = Option("seed", 0, "seed of the random start", low=0.0)
_CUT = (
    "Directions of the anchors weaker than max(k, d) times the precision of the given numbers (1.2e-7 of float32), "
    "relative to the strongest, count as empty."
)
_REST = (
    "Where the anchors say nothing, the map is the orthogonal one nearest to the identity; the narrower space is "
    "padded with zeros."
)
_PENALTY = Option("penalty", 0.01, "in mean eigenvalues of the anchors' covariance", low=1e-6, high=100.0)
_SCALE = Option("scale", True, "fit one scale factor")
_UNIT = Option("unit_norm", False, "rows to unit length, the target's mean norm given back")


def _entry(function: Callable[..., Translation], *own: Option, frame: str, **rest: Any) -> TranslationEntry:
    normalise = Option("normalise", frame, "what is done to each feature first", choices=NORMALISE)
    rest = {"source": "2311.00664"} | rest
    return TranslationEntry(function=function, options=(*own, normalise, _UNIT), **rest)


# fmt: off
TRANSLATIONS: dict[str, TranslationEntry] = {
    "affine": _entry(
        affine, frame="centre", label="Affine", summary="least squares with a bias, in closed form",
        invariances=_RIGID | {"isotropic scale", "linear"}, comes_back="full rank",
        detail="Its frame matters only below full rank, where it says which of many maps is the smallest; the paper's "
        "gradient descent heads for it. " + _CUT,
    ),
    "affine-gradient": _entry(
        affine_gradient, _STEPS, _RATE, _SEED, frame="standard",
        label="Affine, by gradient", summary="least squares with a bias, by some steps of Adam",
        invariances=frozenset({"isotropic scale", "translation"}), comes_back="never",
        detail="As in the paper; stops long before the minimum, from a random start. A feature that is 0 at every "
        "anchor in its frame has no say.",
    ),
    "linear": _entry(
        linear, frame="none", label="Linear", summary="least squares without a bias",
        invariances=_RIGID - {"translation"} | {"isotropic scale", "linear"}, comes_back="full rank",
        detail="In a centred or standardised frame, where nothing is left for a bias, it is the same map as affine. "
        + _CUT,
    ),
    "ridge": _entry(
        ridge, _PENALTY, frame="centre", label="Ridge", summary="affine with a penalty, calmer with few anchors",
        source="Hoerl and Kennard 1970", invariances=_RIGID | {"isotropic scale"}, comes_back="never",
    ),
    "l-ortho": _entry(
        l_ortho, frame="centre", label="L-ortho", summary="the least-squares map with its stretching taken out",
        invariances=_RIGID, comes_back="always",
        detail=f"{_REST} {_CUT}",
    ),
    "ortho": _entry(
        ortho, _SCALE, frame="centre", label="Ortho", summary="rotation, reflection and one scale (Procrustes)",
        invariances=_RIGID | {"isotropic scale"}, comes_back="always",
        detail="The scale, sum of singular values over |X|^2, is not in the paper; equal source anchors leave nothing "
        "to scale and lead to the target's mean. " + _REST,
    ),
    "ortho-rigid": _entry(
        ortho_rigid, frame="centre", label="Ortho, rigid", summary="rotation and reflection only",
        invariances=_RIGID, comes_back="always",
        detail="The paper's ortho, which is fitted in the standard frame. " + _REST,
    ),
}
# fmt: on


def translate(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, name: str, **options: float | int | bool | str
) -> Translation:
    """A registered translation by name.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    name: a key of `TRANSLATIONS`.
    options: keywords that its entry declares.

    Raises
    ------
    UnknownName: no such translation or option; BadChoice: anchors or options that it refuses.

    >>> x = torch.eye(3)
    >>> torch.allclose(translate(x, 2 * x, name="ortho-rigid", normalise="none").matrix, torch.eye(3).double())
    True
    """
    if name not in TRANSLATIONS:
        raise UnknownName("translation", name, TRANSLATIONS)
    known = [option.name for option in TRANSLATIONS[name].options]
    for option in options:
        if option not in known:
            raise UnknownName(f"option of the translation {name}", option, known)
    return TRANSLATIONS[name].function(source, target, **options)
