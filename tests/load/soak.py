"""Visitors one after the other for long: does the server keep what it should let go? `make soak`."""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.results import machine, write_part
from tests.load.client import visiting
from tests.load.serving import Server, serving
from tests.load.visits import shows, warm

DIGITS = "data=digits"  # small, so that much can be asked in little time
COUNTS = tuple(range(300, 100, -10))  # with its answers, more than the server remembers
CHANGES = 10  # of anchors, in one visit
WARM_UP = 30  # seconds
REST = 35  # seconds; longer than a session, which holds three descriptors, outlives its browser


@dataclass
class Growth:
    """What a server held after so many interactions.

    Attributes
    ----------
    resident: MiB, when nobody was connected.
    descriptors: open files, pipes and sockets, after a rest at the beginning and at the end.
    complaints: of visitors.
    """

    interactions: list[int] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def slope(self) -> float:
        """MiB that are added by 100 interactions."""
        return 100 * statistics.linear_regression(self.interactions, self.resident).slope

    @property
    def kept_open(self) -> int:
        """How many more descriptors there are at the end than at the beginning."""
        return self.descriptors[-1] - self.descriptors[0]

    def rows(self) -> list[tuple[str, str, bool]]:
        """What was wanted, what was found, and whether it will do."""
        return [
            ("memory added by 100 interactions below 1 MiB", f"{self.slope:.2f} MiB", self.slope < 1),
            ("descriptors left open: none", f"{self.kept_open}", self.kept_open <= 0),
            ("failures: none", f"{len(self.complaints)}", not self.complaints),
        ]


async def soak(server: Server, enough: Callable[[int, float], bool]) -> Growth:
    """Visits to a server whose answers are computed, until `enough(interactions, seconds)`; the warm-up counts not."""
    began, interactions, growth = time.monotonic(), 0, Growth()
    chance = random.Random(0)  # noqa: S311 a walk, not a secret
    while time.monotonic() - began < WARM_UP:
        growth.complaints += await _visit(server.address, chance)
    growth.descriptors.append(await _at_rest(server))
    began = time.monotonic()
    while not enough(interactions, time.monotonic() - began):
        growth.complaints += await _visit(server.address, chance)
        interactions += CHANGES + 1
        growth.interactions.append(interactions)
        growth.resident.append(server.resident())
    growth.descriptors.append(await _at_rest(server))
    for complaint in sorted(set(growth.complaints)):
        print(complaint, flush=True)
    return growth


async def _at_rest(server: Server) -> int:
    """Descriptors when old sessions have ended, which Streamlit sees to when the next one begins."""
    await asyncio.sleep(REST)
    async with visiting(server.address, DIGITS) as visitor:
        await visitor.run(until=shows(300))
    await asyncio.sleep(1)  # the server closes its end
    return server.descriptors()


async def _visit(address: str, chance: random.Random) -> list[str]:
    async with visiting(address, DIGITS) as visitor:
        count = 300
        await visitor.run(until=shows(count))
        for _ in range(CHANGES):
            count = chance.choice([other for other in COUNTS if other != count])
            await visitor.set_slider("anchors", count, until=shows(count))
        return visitor.complaints()


def main() -> int:
    """Soak a server of its own and write down what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--interactions", type=int, default=sys.maxsize, help="stop after so many (default: 30 minutes)"
    )
    most = parser.parse_args().interactions
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "cache") as server:
        asyncio.run(warm(server.address, DIGITS, COUNTS))
        growth = asyncio.run(soak(server, lambda done, seconds: done >= most or seconds >= 1800))
    rows = growth.rows()
    text = (
        f"Written by `make soak`: {growth.interactions[-1]:,} interactions of visitors that came one after the other; "
        f"{growth.resident[0]:.0f} MiB held by the server and its workers after the warm-up, {growth.resident[-1]:.0f} "
        f"at the end.\n\n{machine(['streamlit'])}\n\n{table(rows)}"
    )
    write_part("A long day", text)
    return 0 if all(good for *_, good in rows) else 1


def table(rows: list[tuple[str, str, bool]]) -> str:
    """Goals and findings in Markdown."""
    lines = [f"| {goal} | {found} | {'met' if good else '**missed**'} |" for goal, found, good in rows]
    return "\n".join(["| goal | found | |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    sys.exit(main())
