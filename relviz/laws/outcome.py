"""What trying a law on a method gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Whether a law is kept, and the numbers that say so."""

    kept: bool
    told: str


Law = Callable[[str], Outcome]


def worst(found: dict[str, float], *, within: float) -> Outcome:
    """Whether the largest of several numbers, by what they are of, is small enough.

    >>> worst({"a": 0.1, "b": 0.3}, within=0.2)
    Outcome(kept=False, told='at most 0.3 (b), allowed 0.2')
    """
    return _extreme(found, within, largest=True)


def least(found: dict[str, float], *, above: float) -> Outcome:
    """Whether the smallest of several numbers, by what they are of, is large enough.

    >>> least({"a": 0.1, "b": 0.3}, above=0.05)
    Outcome(kept=True, told='at least 0.1 (a), needed 0.05')
    """
    return _extreme(found, above, largest=False)


def both(*outcomes: Outcome) -> Outcome:
    """Whether all are kept.

    >>> both(Outcome(True, "one"), Outcome(False, "two"))
    Outcome(kept=False, told='one; two')
    """
    return Outcome(all(each.kept for each in outcomes), "; ".join(each.told for each in outcomes))


def _extreme(found: dict[str, float], limit: float, *, largest: bool) -> Outcome:
    if not found:
        return Outcome(True, "nothing to try")
    # A number that is NaN keeps no law, so it is the one that is told of.
    place = next((key for key, value in found.items() if value != value), None)
    place = place or (max if largest else min)(found, key=lambda key: found[key])
    value = found[place]
    kept = value < limit if largest else value > limit
    words = ("at most", "allowed") if largest else ("at least", "needed")
    return Outcome(kept, f"{words[0]} {value:.2g} ({place}), {words[1]} {limit:g}")
