"""Laws of translations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from relviz.core.translations import TRANSLATIONS, translate
from relviz.laws.float32_spaces import CASES, translated
from relviz.laws.outcome import Law, Outcome, both, least, worst

D = 12
SEEDS = (0, 1, 2)
WITHIN = 0.005  # of the spread of float64's vectors
_Fitted = Callable[[Tensor], Tensor]


def generator(seed: int) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed)


def gaussian(*shape: int, seed: int) -> Tensor:
    """Gaussian numbers in float64."""
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def space(n: int = 200, d: int = D, *, seed: int) -> Tensor:
    """An anisotropic cloud away from the origin."""
    return gaussian(n, d, seed=seed) * torch.arange(1, d + 1) ** -0.5 + 1


def rotation(d: int = D, *, seed: int) -> Tensor:
    """An orthogonal map, `d x d`."""
    return torch.linalg.qr(gaussian(d, d, seed=seed + 100)).Q


def image(x: Tensor, *, seed: int) -> Tensor:
    """Another space over the same samples: related, not the same, and of another width."""
    return x @ gaussian(x.shape[1], 9, seed=seed + 10) + 0.5 * gaussian(len(x), 9, seed=seed + 20)


CHANGES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "isotropic scale": lambda x, _: 3.7 * x,
    "orthogonal": lambda x, seed: x @ rotation(x.shape[1], seed=seed).to(x.dtype),
    "translation": lambda x, seed: x + 2 * gaussian(x.shape[1], seed=seed + 30).to(x.dtype),
    "permutation": lambda x, seed: x[:, torch.randperm(x.shape[1], generator=generator(seed))],
    "linear": lambda x, seed: x @ gaussian(x.shape[1], x.shape[1], seed=seed + 40).to(x.dtype),
}


def off(found: Tensor, expected: Tensor) -> float:
    """Distance of two sets of vectors, as a share of the length of the second."""
    return float((found - expected.double()).norm() / expected.double().norm())


def by_steps(name: str) -> bool:
    """Whether a translation comes near its optimum by steps, which laws do not wait for."""
    return any(option.name == "steps" for option in TRANSLATIONS[name].options)


def fitted(name: str, source: Tensor, target: Tensor) -> _Fitted:
    """The translation fitted on anchors, with few steps where it takes steps."""
    return translate(source, target, name=name, **({"steps": 20} if by_steps(name) else {}))


def _changes(name: str, change: str, dtype: torch.dtype) -> list[float]:
    found = []
    for seed in SEEDS:
        x = space(seed=seed)
        y, x = image(x, seed=seed).to(dtype), x.to(dtype)
        moved = CHANGES[change](x, seed)
        expected = fitted(name, x[:60], y[:60])(x[60:])
        found.append(off(fitted(name, moved[:60], y[:60])(moved[60:]), expected))
    return found


def claimed_invariances_hold(name: str) -> Outcome:
    """To float64's rounding, and to float32's; of a translation by steps as far as it comes."""
    claimed = sorted(TRANSLATIONS[name].invariances)
    limits = {torch.float64: 1e-3 if by_steps(name) else 1e-9, torch.float32: 1e-3}
    return both(
        *(worst({f"{c}, {t}": max(_changes(name, c, t)) for c in claimed}, within=w) for t, w in limits.items())
    )


def others_do_not_hold(name: str) -> Outcome:
    """Each transformation that is not claimed moves the translated vectors."""
    others = [change for change in CHANGES if change not in TRANSLATIONS[name].invariances]
    types = (torch.float64, torch.float32)
    return least({f"{c}, {t}": min(_changes(name, c, t)) for c in others for t in types}, above=1e-2)


def comes_back_as_claimed(name: str) -> Outcome:
    """A space translated to itself, with enough anchors and with few."""
    claimed, outcomes = TRANSLATIONS[name].comes_back, []
    if claimed == "never":
        return Outcome(True, "not claimed")
    for seed in SEEDS:
        x = space(seed=seed)
        enough, few = (off(translate(x[:k], x[:k], name=name)(x), x) for k in (D + 1, 5))
        outcomes.append(worst({"enough anchors": enough}, within=1e-9))
        always = claimed == "always"
        outcomes.append(worst({"few": few}, within=1e-9) if always else least({"few": few}, above=1e-2))
    return both(*outcomes)


def anchors_may_be_permuted(name: str) -> Outcome:
    """The order of anchors does not matter, their pairing does."""
    if by_steps(name):
        return Outcome(True, "not tried on a translation by steps")
    x = space(seed=0)
    y, order = x @ rotation(seed=0), torch.randperm(40, generator=generator(1))
    found = translate(x[:40], y[:40], name=name)(x)
    same, other = (translate(source[order], y[:40][order], name=name)(x) for source in (x[:40], x[:40].roll(1, 0)))
    return both(
        worst({"both permuted": off(same, found)}, within=1e-9),
        least({"paired otherwise": off(other, found)}, above=0.1),
    )


def float32_gives_float64s_value(name: str) -> Outcome:
    """Up to a share of the spread of the translated vectors, of the same numbers."""
    if by_steps(name):
        return Outcome(True, "not tried on a translation by steps")
    shares = {}
    for space_name, case in CASES.items():
        one = case()
        found, expected = translated(one.a, one.b, name), translated(*one.truth, name)
        spread = (expected - expected.mean(0)).abs().median(0).values
        shares[space_name] = float(((found - expected).abs() / (WITHIN * spread + 1e-6 * expected.abs())).max())
    return worst(shares, within=1 + 1e-9)


LAWS: dict[str, Law] = {
    "claimed invariances hold": claimed_invariances_hold,
    "invariances that are not claimed do not hold": others_do_not_hold,
    "a space translated to itself comes back as claimed": comes_back_as_claimed,
    "the order of anchors does not matter, their pairing does": anchors_may_be_permuted,
    "float32 gives float64's value": float32_gives_float64s_value,
}
