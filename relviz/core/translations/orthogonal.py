"""Rotations and reflections."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from relviz.core.registry import Option
from relviz.core.translations.entry import CUT, RIGID, TRANSLATIONS, TranslationEntry, framed
from relviz.core.translations.kernels import Digits, least_squares
from relviz.core.translations.translation import Translation, fit_translation

_TINY = torch.finfo(torch.float64).tiny
_REST = (
    "Where the anchors say nothing, the map is the orthogonal one nearest to the identity; the narrower space is "
    "padded with zeros."
)


def l_ortho(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """The least-squares matrix with its singular values dropped: U V' of U S V'.

    Zero padding for unlike widths and the map nearest to the identity where the anchors say nothing.
    No scale: with `normalise="standard"` the spreads of the features carry it.
    Source: 2311.00664, `l-ortho`.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(l_ortho(x, 5 * x).matrix, torch.eye(2).double())
    True
    """
    return fit_translation(source, target, by=_from_least_squares, normalise=normalise, unit_norm=unit_norm)


TRANSLATIONS["l-ortho"] = TranslationEntry(
    label="L-ortho",
    function=l_ortho,
    summary="the least-squares map with its stretching taken out",
    source="2311.00664",
    invariances=RIGID,
    options=framed("centre"),
    comes_back="always",
    detail=f"{_REST} {CUT}",
)


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
    return fit_translation(
        source, target, by=partial(_procrustes, scale=scale), normalise=normalise, unit_norm=unit_norm
    )


TRANSLATIONS["ortho"] = TranslationEntry(
    label="Ortho",
    function=ortho,
    summary="rotation, reflection and one scale (Procrustes)",
    source="2311.00664",
    invariances=RIGID | {"isotropic scale"},
    options=(Option("scale", True, "fit one scale factor"), *framed("centre")),
    comes_back="always",
    detail="The scale, sum of singular values over |X|^2, is not in the paper; equal source anchors leave nothing "
    "to scale and lead to the target's mean. " + _REST,
)


def ortho_rigid(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, normalise: str = "centre", unit_norm: bool = False
) -> Translation:
    """Orthogonal Procrustes without a scale, like that of 2311.00664: a rotation or reflection.

    The narrower space is zero padded; where the anchors say nothing the map is the orthogonal one nearest to the
    identity. Source: 2311.00664, `ortho` of its table of estimators.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces, one of `NORMALISE`.
    unit_norm: rows to unit length before the fit, the target's mean anchor norm given back after it.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, or not finite.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> torch.allclose(ortho_rigid(x, 5 * x).matrix, torch.eye(2).double())
    True
    """
    return ortho(source, target, scale=False, normalise=normalise, unit_norm=unit_norm)


TRANSLATIONS["ortho-rigid"] = TranslationEntry(
    label="Ortho, rigid",
    function=ortho_rigid,
    summary="rotation and reflection only",
    source="2311.00664",
    invariances=RIGID,
    options=framed("centre"),
    comes_back="always",
    detail="The paper's ortho, which is fitted in the standard frame. " + _REST,
)


def _procrustes(x: Tensor, y: Tensor, _digits: Digits, *, scale: bool) -> tuple[Tensor, Tensor]:
    """Orthogonal Procrustes; all source anchors at zero leave nothing to scale, and the factor is 0."""
    rotation, strengths = _nearest_orthogonal(x.T @ y)
    factor = strengths.sum() / x.square().sum().clamp_min(_TINY) if scale else 1.0
    return factor * rotation, torch.zeros_like(y[0])


def _from_least_squares(x: Tensor, y: Tensor, digits: Digits) -> tuple[Tensor, Tensor]:
    """The orthogonal map nearest to the least-squares one."""
    matrix, rank = least_squares(x, y, digits)
    return _nearest_orthogonal(matrix, rank)[0], torch.zeros_like(y[0])


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
