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

from relviz.core.inverse import NORMALISE, finite, frame
from relviz.core.neighbours import unit_rows
from relviz.core.registry import Entry, Option
from relviz.errors import BadChoice, UnknownName

_TINY = torch.finfo(torch.float64).tiny
_Core = Callable[[Tensor, Tensor, torch.dtype], tuple[Tensor, Tensor]]  # (x, y, input precision) to (matrix, bias)


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
        inner = x.double() - self.source_mean
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
    return _fit(source, target, partial(_ortho_core, scale=scale), normalise, unit_norm)


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
    return _fit(source, target, _l_ortho_core, normalise, unit_norm)


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
    return _fit(source, target, _linear_core, normalise, unit_norm)


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
    return _fit(source, target, partial(_with_bias, core=_linear_core), normalise, unit_norm)


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
    core = partial(_with_bias, core=partial(_ridge_core, penalty=penalty))
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
    core = partial(_gradient_core, steps=steps, rate=rate, seed=seed)
    return _fit(source, target, core, normalise, unit_norm)


def _fit(source: Tensor, target: Tensor, core: _Core, normalise: str, unit_norm: bool) -> Translation:
    if len(source) != len(target):
        raise BadChoice(
            f"There are {len(source)} source and {len(target)} target anchors.", "Give the same anchors in both spaces."
        )
    here, there = frame(source, normalise=normalise), frame(target, normalise=normalise)
    x, y = here.into(source), there.into(target)
    precision = torch.float64 if source.dtype == target.dtype == torch.float64 else torch.float32
    if not unit_norm:
        matrix, bias = core(x, y, precision)
        return Translation(here.mean, matrix * there.spread / here.spread[:, None], there.out_of(bias[None])[0])
    matrix, bias = core(unit_rows(x), unit_rows(y), precision)
    back = replace(there, spread=there.spread * y.norm(dim=1).mean())
    return Translation(here.mean, matrix * back.spread, back.out_of(bias[None])[0], here.spread)


def _with_bias(x: Tensor, y: Tensor, precision: torch.dtype, *, core: _Core) -> tuple[Tensor, Tensor]:
    """A core's map between the centred anchors, and the bias that follows."""
    mean_x, mean_y = x.mean(0), y.mean(0)
    matrix, _ = core(x - mean_x, y - mean_y, precision)
    return matrix, mean_y - mean_x @ matrix


def _linear_core(x: Tensor, y: Tensor, precision: torch.dtype) -> tuple[Tensor, Tensor]:
    return _least_squares(x, y, precision)[0], torch.zeros_like(y[0])


def _ridge_core(x: Tensor, y: Tensor, _precision: torch.dtype, *, penalty: float) -> tuple[Tensor, Tensor]:
    gram = x.T @ x
    gram.diagonal().add_(penalty * gram.diagonal().mean().clamp_min(_TINY))
    return torch.cholesky_solve(x.T @ y, torch.linalg.cholesky(gram)), torch.zeros_like(y[0])


def _ortho_core(x: Tensor, y: Tensor, _precision: torch.dtype, *, scale: bool) -> tuple[Tensor, Tensor]:
    rotation, strengths = _nearest_orthogonal(x.T @ y)
    factor = strengths.sum() / x.square().sum().clamp_min(_TINY) if scale else 1.0
    return factor * rotation, torch.zeros_like(y[0])


def _l_ortho_core(x: Tensor, y: Tensor, precision: torch.dtype) -> tuple[Tensor, Tensor]:
    matrix, rank = _least_squares(x, y, precision)
    return _nearest_orthogonal(matrix, rank)[0], torch.zeros_like(y[0])


def _gradient_core(
    x: Tensor, y: Tensor, precision: torch.dtype, *, steps: int, rate: float, seed: int
) -> tuple[Tensor, Tensor]:
    if max(float(x.abs().amax()), float(y.abs().amax())) > 1e15:
        precision = torch.float64  # squared errors would leave single precision
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
        return weight.detach().T.double(), bias.detach().double()


def _least_squares(x: Tensor, y: Tensor, precision: torch.dtype) -> tuple[Tensor, int]:
    """The matrix of least norm among those that minimise |X T - Y|, and the rank of X.

    Directions of X below the rounding of the input's precision count as empty; dividing by them would blow up noise.
    QR where X has full rank for certain, else singular values, because CUDA's least squares knows full rank only.
    """
    cut = torch.finfo(precision).eps * max(x.shape)
    if len(x) >= x.shape[1]:
        q, r = torch.linalg.qr(x)
        inverse = torch.linalg.solve_triangular(r, torch.eye(len(r), dtype=r.dtype, device=r.device), upper=True)
        if bool(r.norm() * inverse.norm() * cut < 1):  # an upper bound of the condition number; false for NaN too
            return inverse @ (q.T @ y), len(r)
    u, strengths, vt = torch.linalg.svd(x, full_matrices=False)
    rank = int((strengths > cut * strengths[0]).sum())
    return vt[:rank].T @ ((u[:, :rank].T @ y) / strengths[:rank, None]), rank


def _nearest_orthogonal(matrix: Tensor, rank: int | None = None) -> tuple[Tensor, Tensor]:
    """U V' of a `d x e` matrix U S V' zero padded to a square, cropped again, and S.

    Beyond the rank, of which a bound may be known, the result is nearest to the identity.
    """
    d, e, width = *matrix.shape, max(matrix.shape)
    square = torch.zeros(width, width, dtype=matrix.dtype, device=matrix.device)
    square[:d, :e] = matrix
    u, strengths, vt = torch.linalg.svd(square)
    counted = int((strengths > strengths[0] * width * torch.finfo(matrix.dtype).eps).sum())
    rank = counted if rank is None else min(rank, counted)
    free_u, free_v = u[:, rank:], vt[rank:].T
    p, _, qt = torch.linalg.svd(free_u.T @ free_v)
    return (u[:, :rank] @ vt[:rank] + free_u @ p @ qt @ free_v.T)[:d, :e], strengths


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
    ),
    "affine-gradient": _entry(
        affine_gradient, _STEPS, _RATE, _SEED, frame="standard",
        label="Affine, by gradient", summary="least squares with a bias, by some steps of Adam as in the paper",
        invariances=frozenset({"isotropic scale", "translation"}), comes_back="never",
    ),
    "linear": _entry(
        linear, frame="none", label="Linear", summary="least squares without a bias",
        invariances=_RIGID - {"translation"} | {"isotropic scale", "linear"}, comes_back="full rank",
    ),
    "ridge": _entry(
        ridge, _PENALTY, frame="centre", label="Ridge", summary="affine with a penalty, calmer with few anchors",
        source="Hoerl and Kennard 1970", invariances=_RIGID | {"isotropic scale"}, comes_back="never",
    ),
    "l-ortho": _entry(
        l_ortho, frame="centre", label="L-ortho", summary="the least-squares map with its stretching taken out",
        invariances=_RIGID, comes_back="always",
    ),
    "ortho": _entry(
        ortho, _SCALE, frame="centre", label="Ortho", summary="rotation, reflection and one scale (Procrustes)",
        invariances=_RIGID | {"isotropic scale"}, comes_back="always",
    ),
    "ortho-rigid": _entry(
        ortho_rigid, frame="centre", label="Ortho, rigid", summary="rotation and reflection only, as in the paper",
        invariances=_RIGID, comes_back="always",
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
