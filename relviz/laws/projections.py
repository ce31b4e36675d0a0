"""Laws of projections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from relviz.core.projections import PROJECTIONS, project
from relviz.errors import BadChoice
from relviz.laws.float32_spaces import CASES, allowed, projected
from relviz.laws.outcome import Law, Outcome, both, least, worst

D = 12
_TYPES = {torch.float64: 1e-10, torch.float32: 2e-4}  # how far from unmoved an invariant projection may be


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Gaussian numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def space(n: int = 60) -> Tensor:
    """A cloud off the origin, `n x 12`."""
    return normal(n, D) + 0.5


MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "isotropic scale": lambda x: 3.7 * x,
    "orthogonal": lambda x: x @ torch.linalg.qr(normal(D, D, seed=1)).Q,
    "translation": lambda x: x + torch.linspace(-2, 2, D, dtype=x.dtype),
    "permutation": lambda x: x.flip(1),
    "linear": lambda x: x @ (torch.eye(D, dtype=x.dtype) + 0.3 * normal(D, D, seed=2)),
}


def _moved(name: str, move: str, dtype: torch.dtype, *, centred: bool) -> float:
    # Anchors that are no samples: at a distance of 0, single precision cannot tell moved from unmoved.
    x, anchors, change = space(), space()[:8] + normal(8, D, seed=3), MOVES[move]
    before = project(x.to(dtype), anchors.to(dtype), name=name, centred=centred)
    after = project(change(x).to(dtype), change(anchors).to(dtype), name=name, centred=centred)
    return float((before - after).abs().max() / before.abs().max())


def claimed_invariances_hold(name: str, *, centred: bool) -> Outcome:
    """To float64's rounding, and to float32's."""
    claimed = sorted(PROJECTIONS[name].invariant_to(centred=centred))
    moved = partial(_moved, name, centred=centred)
    return both(*(worst({f"{m}, {t}": moved(m, t) for m in claimed}, within=w) for t, w in _TYPES.items()))


def others_do_not_hold(name: str, *, centred: bool) -> Outcome:
    """Each transformation that is not claimed moves the coordinates."""
    others = [move for move in MOVES if move not in PROJECTIONS[name].invariant_to(centred=centred)]
    return least({f"{m}, {t}": _moved(name, m, t, centred=centred) for m in others for t in _TYPES}, above=1e-2)


def order_only_reorders(name: str) -> Outcome:
    """The order of samples and that of anchors only reorder the result."""
    x = space()
    anchors = x[:8] + 1
    whole = project(x, anchors, name=name)
    rows = project(x.flip(0), anchors, name=name) - whole.flip(0)
    columns = project(x, anchors.flip(0), name=name) - whole.flip(1)
    return worst({"samples": float(rows.abs().max()), "anchors": float(columns.abs().max())}, within=1e-7)


def pointwise_as_claimed(name: str) -> Outcome:
    """A coordinate depends on its sample and the anchors alone, where that is claimed."""
    if not PROJECTIONS[name].pointwise:
        return Outcome(True, "not claimed")
    gaps = {}
    for centred in (False, True):
        x, anchors = space(), space()[:8]
        together = project(x, anchors, name=name, centred=centred)
        alone = torch.cat([project(row[None], anchors, name=name, centred=centred) for row in x])
        gaps[f"centred {centred}"] = float((together - alone).abs().max())
    return worst(gaps, within=1e-7)


SPACE = space().float()
EDGES: dict[str, tuple[Tensor, Tensor]] = {
    "no samples": (SPACE[:0], SPACE[:3]),
    "one sample": (SPACE[:1], SPACE[:3]),
    "one sample and itself": (SPACE[:1], SPACE[:1]),
    "one anchor": (SPACE, SPACE[:1]),
    "more anchors than samples": (SPACE[:3], SPACE),
    "zero samples": (torch.zeros(4, D), SPACE[:3]),
    "zero anchors": (SPACE, torch.zeros(3, D)),
    "all zero": (torch.zeros(4, D), torch.zeros(3, D)),
    "duplicate samples": (SPACE[:1].expand(30, D), SPACE[:3]),
    "duplicate anchors": (SPACE, SPACE[:1].expand(5, D)),
    "all equal": (torch.ones(20, D), torch.ones(4, D)),
    "constant feature": (SPACE.clone().index_fill_(1, torch.tensor([2]), 7), SPACE[:3]),
    "one feature": (SPACE[:, :1], SPACE[:3, :1]),
    "huge": (1e30 * SPACE, 1e30 * SPACE[:3]),
    "huge and opposite": (torch.tensor([[3e38], [-3e38]]).expand(2, D), torch.tensor([[-3e38], [3e38]]).expand(2, D)),
    "tiny": (1e-30 * SPACE, 1e-30 * SPACE[:3]),
    "tiny anchors": (1e5 * SPACE, 1e-40 * SPACE[:3]),
    "huge double": (1e300 * SPACE.double(), 1e300 * SPACE[:3].double()),
    "tiny double": (1e-310 * SPACE.double(), 1e-310 * SPACE[:3].double()),
    "half": (SPACE.half(), SPACE[:3].half()),
    "bfloat16": (SPACE.bfloat16(), SPACE[:3].bfloat16()),
    "mixed precision": (SPACE, SPACE[:3].double()),
    "not contiguous": (SPACE.T.contiguous().T, SPACE[:6:2]),
}


def edges_give_finite_values_in_range(name: str) -> Outcome:
    """Of the promised shape; a range that is open allows any finite value."""
    entry, bad = PROJECTIONS[name], []
    low, high = (torch.inf if end is None else end for end in (entry.low, entry.high))
    low = -torch.inf if entry.low is None else low
    for edge, (x, anchors) in EDGES.items():
        for centred in (False, True):
            found = project(x, anchors, name=name, centred=centred)
            sound = found.shape == (len(x), len(anchors)) and bool(torch.isfinite(found).all())
            if not (sound and bool(((found >= low) & (found <= high)).all())):
                bad.append(f"{edge}, centred {centred}")
    return Outcome(not bad, f"broken by {', '.join(bad)}" if bad else f"{len(EDGES)} kinds of spaces")


def what_is_not_finite_is_refused(name: str) -> Outcome:
    """In samples and in anchors, by a sentence that says where; and so is a set of no anchors."""
    accepted = []
    spoilt = [SPACE.clone().index_fill(0, torch.tensor(4), bad) for bad in (torch.nan, torch.inf, -torch.inf)]
    tried = [("The samples hold values that are not finite", x, SPACE[:3]) for x in spoilt]
    tried += [("The anchors hold values that are not finite", SPACE, x[:6]) for x in spoilt]
    for words, x, anchors in [*tried, ("no anchors", SPACE, SPACE[:0])]:
        try:
            project(x, anchors, name=name)
            accepted.append(words)
        except BadChoice as error:
            accepted += [] if words in str(error) else [str(error)]
    return Outcome(not accepted, f"not refused so: {accepted[0]}" if accepted else "7 refused")


def float32_gives_float64s_value(name: str) -> Outcome:
    """Up to few roundings of a coordinate's own size, of the same numbers."""
    shares = {}
    for space_name, case in CASES.items():
        x = case().a
        for centred in (False, True):
            found, expected = projected(x, name, centred=centred), projected(x.double(), name, centred=centred)
            off = (found.double() - expected).abs() / allowed(expected, name).clamp_min(torch.finfo(torch.float64).tiny)
            shares[f"{space_name}, centred {centred}"] = float(off.max())
    return worst(shares, within=1 + 1e-9)


LAWS: dict[str, Law] = {
    "claimed invariances hold": partial(claimed_invariances_hold, centred=False),
    "claimed invariances hold, centred": partial(claimed_invariances_hold, centred=True),
    "invariances that are not claimed do not hold": partial(others_do_not_hold, centred=False),
    "invariances that are not claimed do not hold, centred": partial(others_do_not_hold, centred=True),
    "order only reorders the result": order_only_reorders,
    "pointwise as claimed": pointwise_as_claimed,
    "edges give finite values in range": edges_give_finite_values_in_range,
    "what is not finite is refused": what_is_not_finite_is_refused,
    "float32 gives float64's value": float32_gives_float64s_value,
}
