"""What visitors do: open Explore, walk over numbers of anchors, leave; and the figures of many visits."""

from __future__ import annotations

import asyncio
import math
import random
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.load.client import Visitor, visiting

COUNTS = (300, 250, 200, 150)  # numbers of anchors that visitors choose among; a page opens with the first
CHANGES = 5  # of anchors, in one visit
_TOKEN = re.compile(r"token-[0-9a-f]{16}")


@dataclass
class Figures:
    """What a number of visits measured.

    Attributes
    ----------
    first, changes: seconds until the maps stood there, after opening and after each change of anchors.
    failures: what went wrong, in words.
    strangers: tokens that visitors saw of each other.
    """

    first: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of the values do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def shows(count: int, *, settled: bool = False) -> Callable[[Visitor], bool]:
    """Whether a page shows maps and the sentence for that number of anchors, and, if asked, computes nothing more."""

    def there(visitor: Visitor) -> bool:
        done = visitor.charts() > 0 and f"**{count} anchors**" in visitor.text()
        return bool(visitor.complaints()) or (done and not (settled and visitor.waiting()))

    return there


async def warm(address: str, query: str = "", counts: Sequence[int] = COUNTS) -> None:
    """One visitor looks at everything that the others will ask for, until it is computed."""
    async with visiting(address, query) as visitor:
        await visitor.run(until=shows(300, settled=True))
        for count in (*counts[1:], counts[0]):
            await visitor.set_slider("anchors", count, until=shows(count, settled=True))


async def visit(address: str, number: int, figures: Figures, *, query: str = "") -> None:
    """One visit, which plants a token that nobody else may ever see."""
    token = f"token-{secrets.token_hex(8)}"
    chance = random.Random(number)  # noqa: S311 a walk, not a secret
    try:
        async with visiting(address, f"{query}&a={token}") as visitor:
            figures.first.append(await visitor.run(until=shows(COUNTS[0])))
            count = COUNTS[0]
            for _ in range(CHANGES):
                count = chance.choice([other for other in COUNTS if other != count])
                figures.changes.append(await visitor.set_slider("anchors", count, until=shows(count)))
            figures.failures += visitor.complaints()
    except Exception as error:
        figures.failures.append(repr(error))
        return
    seen = set(_TOKEN.findall(visitor.heard))
    figures.strangers += seen - {token}
    if token not in seen:
        figures.failures.append("a visitor did not see its own token")


async def crowd(address: str, visitors: int, *, query: str = "") -> Figures:
    """So many visits, all at once."""
    figures = Figures()
    await asyncio.gather(*(visit(address, number, figures, query=query) for number in range(visitors)))
    return figures
