"""Pairs of spaces made in float32 on which careless single precision goes wrong, and what there is to compute of them.

Values of the same numbers in float64 are what float32 has to give. One case is no exception but an authority of its
own: of a space of low rank, rounding to float32 makes one of full rank, so what counts is the space before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from relviz.core.measures import MEASURES, Pair
from relviz.core.neighbours import nearest_by_cosine, nearest_by_distance
from relviz.core.projections import PROJECTIONS, project
from relviz.core.translations import TRANSLATIONS

N, D, K = 300, 24, 10
ANCHORS = 60
CLOSED_FORM = tuple(name for name in TRANSLATIONS if name != "affine-gradient")
SEARCHES: dict[str, Callable[[Tensor], Tensor]] = {
    "cosine": lambda x: nearest_by_cosine(x, K)[0],
    "distance": lambda x: nearest_by_distance(x, K),
}


@dataclass(frozen=True)
class Case:
    """Two float32 spaces, and the float64 numbers whose values they must give: their own unless said otherwise."""

    a: Tensor
    b: Tensor
    truth: tuple[Tensor, Tensor] = field(default=(torch.empty(0), torch.empty(0)))

    def __post_init__(self) -> None:
        if not self.truth[0].numel():
            object.__setattr__(self, "truth", (self.a.double(), self.b.double()))


def _case(spaces: Iterable[Tensor], truth: tuple[Tensor, Tensor] | None = None) -> Case:
    a, b = spaces
    return Case(a, b) if truth is None else Case(a, b, truth)


def normal(*shape: int, seed: int) -> Tensor:
    """Gaussian numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def related(n: int = N, d: int = D) -> tuple[Tensor, Tensor]:
    """Two spaces that share half of what they hold; float64, around the origin."""
    a = normal(n, d, seed=0) * torch.linspace(2, 1, d, dtype=torch.float64)
    rotation = torch.linalg.qr(normal(d, d, seed=1)).Q
    return a, a @ rotation + normal(n, d, seed=2)


def unrelated() -> tuple[Tensor, Tensor]:
    """Two spaces that share nothing; float64."""
    return normal(N, D, seed=3), normal(N, D, seed=4)


def _pushed(cosine: float) -> Case:
    """Off the origin until two of a space's vectors have this cosine on average."""
    spaces = []
    for seed, x in enumerate(related()):
        away = normal(D, seed=20 + seed)
        size = (cosine / (1 - cosine) * x.square().sum(1).mean()).sqrt()
        spaces.append((x + away / away.norm() * size).float())
    return _case(spaces)


def _moved(offset: float, of: tuple[Tensor, Tensor]) -> Case:
    return _case((x + offset).float() for x in of)


def _scaled() -> Case:
    lengths = torch.logspace(0, -4, D, dtype=torch.float64)
    a, b = related()
    return Case((a * lengths).float(), (b * lengths.flip(0)).float())


def _clusters() -> Case:
    """Two far from each other in A, two others in B, one of them at the origin."""
    spaces = []
    for seed, x in enumerate(related()):
        member = (torch.arange(N) * 7 % N < N // 2) if seed else (torch.arange(N) % 2 == 0)
        spaces.append((x + 1e4 * member[:, None] * normal(D, seed=30 + seed).sign()).float())
    return _case(spaces)


def _uneven_clusters() -> Case:
    """The same two in A and in B, one three times as large: the median distance is one within it."""
    member = (torch.arange(N) % 4 == 0)[:, None]
    return _case((x + 1e4 * member * normal(D, seed=33).sign()).float() for x in related())


def _outlier() -> Case:
    a, b = related()
    a[7] *= 1e4
    return Case(a.float(), b.float())


def _low_rank() -> Case:
    """Five dimensions of one and seven of the other in all features, far enough from the origin that rounding shows."""
    shared = normal(N, 4, seed=40)
    spaces = []
    for seed, own in ((41, 1), (42, 3)):
        inner = torch.cat([shared, normal(N, own, seed=seed)], dim=1) + 0.5 * normal(N, 4 + own, seed=seed + 10)
        spaces.append(inner @ normal(4 + own, D, seed=seed + 20) + 300)
    return _case((x.float() for x in spaces), truth=(spaces[0], spaces[1]))


def _crowded_relative() -> Case:
    """Relative coordinates of crowded spaces, of more anchors than dimensions, rounded to float32."""
    found = []
    for x in _pushed(0.99).truth:
        found.append(project(x[:, :12], x[:D, :12], name="cosine"))
    return _case((x.float() for x in found), truth=(found[0], found[1]))


# Cosines, centred or not, that are alike in all the digits that float32 stores.
BEYOND_COSINES = {(name, False) for name in ("offset 1e5", "offset 1e7", "offset 1e7, unrelated", "one column at 1e7")}
BEYOND_COSINES |= {("far clusters", True), ("far clusters, uneven", True)}

CASES: dict[str, Callable[[], Case]] = {
    "ordinary": lambda: _case(x.float() for x in related()),
    "mean cosine 0.5": lambda: _pushed(0.5),
    "mean cosine 0.9": lambda: _pushed(0.9),
    "mean cosine 0.99": lambda: _pushed(0.99),
    "mean cosine 0.999": lambda: _pushed(0.999),
    "offset 1e3": lambda: _moved(1e3, related()),
    "offset 1e5": lambda: _moved(1e5, related()),
    "offset 1e7": lambda: _moved(1e7 + 0.5, related()),
    "offset 1e7, unrelated": lambda: _moved(1e7 + 0.5, unrelated()),
    "one column at 1e7": lambda: _case((x + 1e7 * (torch.arange(D) == 3)).float() for x in related()),
    "columns over four decades": _scaled,
    "far clusters": _clusters,
    "far clusters, uneven": _uneven_clusters,
    "one outlier": _outlier,
    "low rank": _low_rank,
    "crowded relative coordinates": _crowded_relative,
}


def measured(a: Tensor, b: Tensor, name: str, memory: int = 2**26) -> tuple[float | None, str | None]:
    """A measure's value or its reason."""
    found = MEASURES[name](Pair(a, b, k=K, memory=memory))
    return found.value, found.undefined


def projected(a: Tensor, name: str, *, centred: bool) -> Tensor:
    """Samples through anchors of their own space."""
    return project(a[ANCHORS:], a[:ANCHORS:2], name=name, centred=centred)


def allowed(found: Tensor, name: str) -> Tensor:
    """How far a coordinate of a projection may be from float64's: few roundings of its own value.

    Similarities cancel, so those near 0 know what the others of their column know.
    """
    eps, entry = torch.finfo(torch.float32).eps, PROJECTIONS[name]
    size = found.abs()
    is_distance = entry.low == 0 and entry.high is None
    return 32 * eps * size if is_distance else 16 * eps * (size + size.median(0).values)


def translated(a: Tensor, b: Tensor, name: str) -> Tensor:
    """A's other vectors in B, by a translation fitted on anchors."""
    return TRANSLATIONS[name].function(a[:ANCHORS], b[:ANCHORS])(a[ANCHORS:])
