"""Inverse relative projection: from similarities to anchors back to vectors.

With unit rows in the frames of both spaces, relative coordinates are X A_X'; where the spaces are alike they are
nearly Y A_Y', and a pseudo-inverse of A_Y' returns Y. Each side needs only its own anchors. The inverse of many
similar anchors blows up what differs between the spaces; anchors far from each other, averages over several such
subsets, truncation and a penalty calm it, and the condition numbers say by how much. Source: 2406.15057.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.neighbours import unit_rows
from relviz.core.translations.frames import Frame, frame, inside
from relviz.core.values import finite
from relviz.errors import BadChoice


def relative(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k e"], *, normalise: str = "centre"
) -> Float[Tensor, "n k"]:
    """Relative coordinates as an inverse reads them: cosines in the frame of the anchors, in float64, in [-1, 1].

    Raises
    ------
    BadChoice: no anchors or no features, values that are not finite, or no such normalisation; vectors of another
        width or not finite.

    >>> relative(torch.tensor([[2.0, 0.0]]), torch.eye(2), normalise="none").tolist()
    [[1.0, 0.0]]
    """
    here, directions = inside(anchors, normalise=normalise)
    if x.shape[1] != anchors.shape[1]:
        raise BadChoice(
            f"The vectors have {x.shape[1]} features, the anchors {anchors.shape[1]}.",
            "Take both from the same space.",
        )
    vectors = unit_rows(here.into(finite(x.double(), "vectors")))
    return (vectors @ unit_rows(directions).T).clamp_(-1, 1)


@dataclass(frozen=True)
class InverseProjection:
    """y = r matrix, back in the target space, for relative coordinates r; in float64.

    Attributes
    ----------
    matrix: `k x e`, the mean of the members' pseudo-inverses; rows of anchors that no member kept are 0.
    scale: what the rows, about one long, are multiplied with.
    frame: of the target space.
    kept: for each member of the ensemble, the rows of its anchors, in the order they were chosen.
    condition_numbers: for each member, the largest over the smallest singular value that is inverted, 1 or more.
    ranks: for each member, how many directions are inverted; below e the answer lies in a subspace.
    """

    matrix: Float[Tensor, "k e"]
    scale: float
    frame: Frame
    kept: tuple[Int[Tensor, "_"], ...]
    condition_numbers: tuple[float, ...]
    ranks: tuple[int, ...]

    def __call__(self, coordinates: Float[Tensor, "n k"]) -> Float[Tensor, "n e"]:
        """Vectors of the target space with these relative coordinates.

        Raises
        ------
        BadChoice: coordinates to another number of anchors, or not finite.
        """
        if coordinates.shape[1] != len(self.matrix):
            raise BadChoice(
                f"The coordinates refer to {coordinates.shape[1]} anchors, the inverse to {len(self.matrix)}.",
                "Project to the same anchors.",
            )
        rows = finite(coordinates.double(), "coordinates") @ self.matrix
        return finite(self.frame.out_of(rows * self.scale), "inverted coordinates")


def fit_inverse(
    anchors: Float[Tensor, "k e"],
    *,
    normalise: str = "centre",
    prune: float = 0.0,
    members: int = 1,
    truncate: float = 0.0,
    penalty: float = 0.0,
    restore_norm: bool = True,
    seed: int = 0,
) -> InverseProjection:
    """The inverse of the relative projection to a space's anchors.

    With all anchors, no penalty and at least as many independent anchors as dimensions it is exact up to the length
    of each vector in the frame, which cosines do not know. Source: 2406.15057; measured effects in the hazards of
    the project's notes: pruning lowers the condition number and costs accuracy where the spaces agree, ensembles
    recover part.

    Parameters
    ----------
    anchors: vectors of the anchors in the target space.
    normalise: frame of the target space, one of `NORMALISE`.
    prune: least distance 1 - |cosine| between kept anchors, 0 (keep all) to below 1.
    members: pruned subsets that are averaged, each from another first anchor, 1 to k; without pruning all subsets
        are the same and one is fitted.
    truncate: singular values up to this share of the largest are left out, 0 (only those of rounding size) to below 1.
    penalty: Tikhonov penalty in mean squared singular values, 0 or more.
    restore_norm: whether rows get the mean length of the anchors in the frame; else they stay about one long.
    seed: of the first anchors, 0 or more.

    Raises
    ------
    BadChoice: a parameter out of range; no anchors, not finite, or all at the frame's zero.

    >>> x = torch.tensor([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0], [0.0, -3.0]])
    >>> inverse = fit_inverse(x)
    >>> inverse(relative(x, x)).round(decimals=6).tolist()[0], [round(c, 6) for c in inverse.condition_numbers]
    ([3.0, 0.0], [1.0])
    """
    _check_ranges(len(anchors), prune, members, truncate, penalty, seed)
    here, vectors = inside(anchors, normalise=normalise)
    unit = unit_rows(vectors)
    present = (unit.square().sum(1) > 0.5).nonzero().squeeze(1)
    if not len(present):
        raise BadChoice("All anchors lie at the zero of their frame.", "Choose anchors that differ.")
    kept = _subsets(unit, present, prune, members, seed)
    precision = torch.finfo(torch.float64 if anchors.dtype == torch.float64 else torch.float32).eps
    inverses = [_regular_inverse(unit[rows], max(truncate, precision * max(unit.shape)), penalty) for rows in kept]
    matrix = torch.zeros_like(unit)
    for rows, (inverse, _, _) in zip(kept, inverses, strict=True):
        matrix[rows] += inverse / len(kept)
    scale = float(vectors.norm(dim=1).mean()) if restore_norm else 1.0
    conditions, ranks = tuple(c for _, c, _ in inverses), tuple(r for _, _, r in inverses)
    return InverseProjection(matrix, scale, here, kept, conditions, ranks)


def far_apart(unit: Float[Tensor, "k e"], *, first: int, least: float) -> Int[Tensor, "_"]:
    """Farthest-point sampling of unit rows under 1 - |cosine|, until the farthest row left is nearer than `least`.

    The absolute value keeps nearly opposite rows from both staying: they say the same. Ties go to the first row.
    Source: 2406.15057.

    Raises nothing for `first` from 0 to k - 1.

    >>> far_apart(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), first=0, least=0.5).tolist()
    [0, 2]
    """
    kept, distance = [first], torch.full_like(unit[:, 0], torch.inf)
    while len(kept) < len(unit):
        distance = torch.minimum(distance, 1 - (unit @ unit[kept[-1]]).abs())
        distance[kept[-1]] = -torch.inf
        farthest = int(distance.argmax())
        if float(distance[farthest]) < least:
            break
        kept.append(farthest)
    return torch.tensor(kept, device=unit.device)


@dataclass(frozen=True)
class InverseTranslation:
    """From one absolute space to another through relative coordinates.

    Attributes
    ----------
    source_anchors: vectors of the anchors in the source space.
    normalise: frame of the source space.
    inverse: of the target space.
    """

    source_anchors: Float[Tensor, "k d"]
    normalise: str
    inverse: InverseProjection

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """Vectors of the source space, in the target space, in float64."""
        return self.inverse(relative(x, self.source_anchors, normalise=self.normalise))


def translate_by_inverse(
    source: Float[Tensor, "k d"],
    target: Float[Tensor, "m e"],
    *,
    normalise: str = "centre",
    prune: float = 0.0,
    members: int = 1,
    truncate: float = 0.0,
    penalty: float = 0.0,
    restore_norm: bool = True,
    seed: int = 0,
) -> InverseTranslation:
    """A translation by relative projection to the source's anchors and inverse projection from the target's.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    normalise: frame of both spaces; the other options are those of `fit_inverse`.

    Raises
    ------
    BadChoice: unlike numbers of anchors, none, not finite, or an option out of its range.

    >>> x = torch.tensor([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0], [0.0, -3.0]])
    >>> translate_by_inverse(x, 2 * x.flip(1))(x[:1]).round(decimals=6).tolist()
    [[0.0, 6.0]]
    """
    if len(source) != len(target):
        raise BadChoice(
            f"There are {len(source)} source and {len(target)} target anchors.", "Give the same anchors in both spaces."
        )
    frame(source, normalise=normalise)  # refuses bad source anchors now, not at the first call
    inverse = fit_inverse(
        target,
        normalise=normalise,
        prune=prune,
        members=members,
        truncate=truncate,
        penalty=penalty,
        restore_norm=restore_norm,
        seed=seed,
    )
    return InverseTranslation(source, normalise, inverse)


def _check_ranges(k: int, prune: float, members: int, truncate: float, penalty: float, seed: int) -> None:
    if not 0 <= prune < 1:
        raise BadChoice(f"The pruning distance {prune} is not between 0 and 1.", "Choose 0 (keep all) to 0.99.")
    if not 1 <= members <= max(1, k):
        raise BadChoice(f"{members} subsets are not between 1 and the {k} anchors.", "Choose fewer subsets.")
    if not 0 <= truncate < 1:
        raise BadChoice(f"The truncation {truncate} is not between 0 and 1.", "Choose 0 (almost none) to 0.99.")
    if not 0 <= penalty < float("inf"):
        raise BadChoice(f"The penalty {penalty} is negative or not finite.", "Choose 0 or more.")
    if seed < 0:
        raise BadChoice(f"The seed {seed} is negative.", "Choose 0 or more.")


def _subsets(unit: Tensor, present: Tensor, prune: float, members: int, seed: int) -> tuple[Tensor, ...]:
    """Rows kept by each member; a row at the frame's zero has no direction and never stays."""
    if prune == 0:
        return (present,)
    order = torch.randperm(len(present), generator=torch.Generator().manual_seed(seed)).tolist()
    return tuple(present[far_apart(unit[present], first=first, least=prune)] for first in order[:members])


def _regular_inverse(unit: Tensor, cut: float, penalty: float) -> tuple[Tensor, float, int]:
    """Regularised pseudo-inverse of the transposed `k x e` rows, as `k x e`; its condition number and rank."""
    u, strengths, vt = torch.linalg.svd(unit, full_matrices=False)
    rank = int((strengths > cut * strengths[0]).sum())
    squares = strengths.square()
    # s / (s^2 + penalty) instead of 1 / s
    factors = (strengths / (squares + penalty * squares.mean()))[:rank]
    return (u[:, :rank] * factors) @ vt[:rank], float(strengths[0] / strengths[rank - 1]), rank
