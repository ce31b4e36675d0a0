"""Laws of measures."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from relviz.core.measures import MEASURES, Pair
from relviz.laws.float32_spaces import CASES, measured
from relviz.laws.outcome import Law, Outcome, both, least, worst

K = 5
SEEDS = range(5)
WITHIN = 0.005  # of float64's value


def draw(seed: int) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed)


def spaces(seed: int = 0, n: int = 150) -> tuple[Tensor, Tensor]:
    """Two related clouds of one width whose axes differ in length, off the origin."""
    g, d = draw(seed), 8
    a = torch.randn(n, d, generator=g, dtype=torch.float64) * 0.5 ** torch.arange(d, dtype=torch.float64)
    mixed = a @ (torch.eye(d, dtype=torch.float64) + 0.3 * torch.randn(d, d, generator=g, dtype=torch.float64))
    return a + 0.2, mixed + 0.1 * torch.randn(n, d, generator=g, dtype=torch.float64)


def _orthogonal(d: int, seed: int) -> Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=draw(seed), dtype=torch.float64))[0]


def _stretch(x: Tensor, seed: int) -> Tensor:
    """An invertible linear map, condition number 25."""
    lengths = torch.linspace(0.2, 5, x.shape[1], dtype=torch.float64)
    return x @ _orthogonal(x.shape[1], seed) * lengths @ _orthogonal(x.shape[1], seed + 1)


CHANGES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "isotropic scale": lambda x, seed: 7.3 * x,
    "orthogonal": lambda x, seed: x @ _orthogonal(x.shape[1], seed),
    "translation": lambda x, seed: x + 2 * torch.randn(x.shape[1], generator=draw(seed), dtype=torch.float64),
    "permutation": lambda x, seed: x[:, torch.randperm(x.shape[1], generator=draw(seed))],
    "linear": _stretch,
}


def value(name: str, a: Tensor, b: Tensor, memory: int = 2**26) -> float:
    """A measure's value; NaN where it is undefined."""
    found = MEASURES[name](Pair(a, b, k=K, memory=memory)).value
    return math.nan if found is None else found


def _moved(name: str, change: str, dtype: torch.dtype) -> float:
    """How much a change of A moves a measure at most, of several pairs."""
    pairs = [tuple(x.to(dtype) for x in (*spaces(seed), CHANGES[change](spaces(seed)[0], seed + 10))) for seed in SEEDS]
    return max(abs(value(name, changed, b) - value(name, a, b)) for a, b, changed in pairs)


def claimed_invariances_hold(name: str) -> Outcome:
    """To float64's rounding, and to float32's."""
    claimed = sorted(MEASURES[name].invariances)
    limits = ((torch.float64, 1e-8), (torch.float32, 1e-3))
    return both(*(worst({f"{c}, {t}": _moved(name, c, t) for c in claimed}, within=limit) for t, limit in limits))


def others_do_not_hold(name: str) -> Outcome:
    """Each transformation that is not claimed moves the measure."""
    others = [change for change in CHANGES if change not in MEASURES[name].invariances]
    types = (torch.float64, torch.float32)
    return least({f"{c}, {t}": _moved(name, c, t) for c in others for t in types}, above=5e-3)


def itself_is_best(name: str) -> Outcome:
    """A space with itself gives the best value, with another one not."""
    best, found = MEASURES[name].best, []
    for dtype, within in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        a, other = spaces()[0].to(dtype), spaces(1)[1].to(dtype)
        found += [worst({f"itself, {dtype}": abs(value(name, a, a) - best)}, within=within)]
        found += [least({f"another, {dtype}": abs(value(name, a, other) - best)}, above=0.05)]
    return both(*found)


def directed_as_claimed(name: str) -> Outcome:
    """An undirected measure is symmetric, a directed one is not."""
    a, b = spaces()
    gap = abs(value(name, a, b) - value(name, b, a))
    if MEASURES[name].directed:
        return least({"A to B against B to A": gap}, above=1e-6)
    return worst({"A to B against B to A": gap}, within=1e-6)


def rows_may_be_permuted(name: str) -> Outcome:
    """The order of samples does not matter, their pairing does."""
    a, b = spaces()
    order = torch.randperm(len(a), generator=draw(2))
    expected = value(name, a, b)
    return both(
        worst({"both permuted": abs(value(name, a[order], b[order]) - expected)}, within=1e-12),
        least({"one permuted": abs(value(name, a[order], b) - expected)}, above=1e-3),
    )


def sample(n: int, d: int, seed: int = 0) -> Tensor:
    """Gaussian samples in float32, `n x d`."""
    return torch.randn(n, d, generator=draw(seed))


X = sample(20, 3)
EDGES = {
    "two samples": X[:2],
    "three samples": X[:3],
    "four samples": X[:4],
    "all duplicates": X[:1].expand(20, 3),
    "some duplicates": X[:4].repeat(5, 1),
    "one differs": torch.cat([torch.zeros(19, 3), torch.ones(1, 3)]),
    "zeros": torch.zeros(20, 3),
    "some zero rows": X * (torch.arange(20) % 3 > 0)[:, None],
    "constant": torch.full((20, 3), 0.1),
    "constant in float64": torch.full((20, 3), 0.1, dtype=torch.float64),
    "constant feature": torch.cat([X[:, :2], torch.full((20, 1), 0.1)], dim=1),
    "one-hot": torch.eye(20),
    "nan": torch.where(X > 2, torch.nan, X).index_fill(0, torch.tensor(3), torch.nan),
    "infinite": X.index_fill(0, torch.tensor(3), torch.inf),
    "minus infinite": X.index_fill(0, torch.tensor(3), -torch.inf),
    "huge": 1e30 * X,
    "huge in float64": 1e300 * X.double(),
    "largest": torch.finfo(torch.float32).max * X.sign(),
    "tiny": 1e-30 * X,
    "denormal": 1e-42 * X,
    "one huge row": X * torch.where(torch.arange(20) == 4, 1e30, 1.0)[:, None],
    "huge and tiny rows": X * torch.where(torch.arange(20) % 2 == 0, 1e30, 1e-30)[:, None],
    "far off the origin": X + 1e6,
    "half": X.half(),
    "bfloat16": X.bfloat16(),
    "integers": (10 * X).long(),
    "bytes": (10 * X.abs()).to(torch.uint8),
    "not contiguous": sample(3, 40).T[::2],
    "needs gradients": X.clone().requires_grad_(),
    "no features": torch.zeros(20, 0),
    "one feature": X[:, :1],
    "wider than long": sample(20, 50),
}


def edges_give_a_value_in_range_or_a_reason(name: str) -> Outcome:
    """Never NaN, and never an exception."""
    measure, bad = MEASURES[name], []
    for edge, x in EDGES.items():
        ordinary = sample(len(x), x.shape[1], seed=1)
        for a, b in ((x, x), (x, x.flip(0)), (x, ordinary), (ordinary, x)):
            for k in (1, len(x) - 1):
                found = measure(Pair(a, b, k=k))
                if found.value is None:
                    sound = bool(found.undefined and found.undefined[0].islower())
                else:
                    sound = math.isfinite(found.value) and measure.low <= found.value <= measure.high
                bad += (
                    [] if sound and found.n == len(x) else [f"{edge}: {found.value}, {found.undefined}, n = {found.n}"]
                )
    return Outcome(not bad, bad[0] if bad else f"{len(EDGES)} kinds of spaces")


def float32_gives_float64s_value(name: str) -> Outcome:
    """Of the same numbers, or undefined for the same reason."""
    gaps = {}
    for space, case in CASES.items():
        one = case()
        (a, b), (c, d) = (one.a, one.b), one.truth
        gaps[f"{space}, A to B"] = _gap(measured(a, b, name), measured(c, d, name))
        gaps[f"{space}, B to A"] = _gap(measured(b, a, name), measured(d, c, name))
    return worst(gaps, within=WITHIN)


def _gap(found: tuple[float | None, str | None], expected: tuple[float | None, str | None]) -> float:
    """Between two values; infinite where only one is defined, or both are not for other reasons."""
    if found[0] is None or expected[0] is None:
        return 0.0 if found == expected else math.inf
    return abs(found[0] - expected[0])


LAWS: dict[str, Law] = {
    "claimed invariances hold": claimed_invariances_hold,
    "invariances that are not claimed do not hold": others_do_not_hold,
    "a space with itself gives the best value": itself_is_best,
    "directed as claimed": directed_as_claimed,
    "the order of rows does not matter, their pairing does": rows_may_be_permuted,
    "edges give a value in range or a reason": edges_give_a_value_in_range_or_a_reason,
    "float32 gives float64's value": float32_gives_float64s_value,
}
