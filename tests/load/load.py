"""Fifty visitors at once, one beside a big UMAP, and a short soak: `make load`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import machine, write_part
from tests.load import big_umap
from tests.load.client import visiting
from tests.load.serving import serving
from tests.load.soak import COUNTS as SOAKED
from tests.load.soak import DIGITS, soak, table
from tests.load.visits import COUNTS, Figures, crowd, quantile, shows, warm

VISITORS = 50
RERUNS = 100
Rows = list[tuple[str, str, bool]]


def crowd_rows(found: Figures, visitors: int) -> Rows:
    """What a crowd may expect, and whether it got it."""
    first, changes = (quantile(seconds, 0.95) for seconds in (found.first, found.changes))
    p50 = [quantile(seconds, 0.5) for seconds in (found.first, found.changes)]
    return [
        (f"{visitors} visitors at once: no failure", f"{len(found.failures)}", not found.failures),
        ("nobody sees another's token", f"{len(found.strangers)} seen", not found.strangers),
        ("p95 until the first maps at most 10 s", f"{first:.2f} s (median {p50[0]:.2f} s)", first <= 10),
        ("p95 of a change of anchors at most 3 s", f"{changes:.2f} s (median {p50[1]:.2f} s)", changes <= 3),
    ]


async def beside_umap(address: str, pid: int, log: Path) -> Rows:
    """Reruns of one visitor while the reducer is busy."""
    times, counts = [], COUNTS[:2]
    async with visiting(address) as visitor:
        await visitor.run(until=shows(COUNTS[0]))
        os.kill(pid, signal.SIGUSR1)
        while big_umap.BEGAN not in log.read_text():
            await asyncio.sleep(0.05)
        for step in range(RERUNS):
            count = counts[(step + 1) % 2]
            times.append(await visitor.set_slider("anchors", count, until=shows(count)))
        over = big_umap.ENDED in log.read_text()
    p95 = quantile(times, 0.95)
    goal = f"p95 of a rerun beside a UMAP of {big_umap.ROWS:,} rows below 0.3 s"
    return [(goal, f"{p95:.3f} s" + (" (it ended before the reruns)" if over else ""), p95 < 0.3 and not over)]


def measure(cache: Path) -> Rows:
    """All goals of a busy server."""
    with serving(cache) as server:
        _tell("warming up")
        asyncio.run(warm(server.address))
        _tell(f"{VISITORS} visitors")
        found = asyncio.run(crowd(server.address, VISITORS))
        for failure in sorted(set(found.failures)):
            _tell(failure)
        rows = crowd_rows(found, VISITORS)
    _tell("beside a big UMAP")
    with serving(cache, command=(sys.executable, "-m", "tests.load.big_umap", "serve")) as server:
        rows += asyncio.run(beside_umap(server.address, server.pid, cache.parent / f"{cache.name}.log"))
    with serving(cache) as server:
        _tell("soaking")
        asyncio.run(warm(server.address, DIGITS, SOAKED))
        rows += asyncio.run(soak(server, lambda _, seconds: seconds >= 60)).rows()
    return rows


def main() -> int:
    """Measure, and write down what came of it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder) / "cache")
    text = (
        "Written by `make load`: visitors speak Streamlit's own websocket protocol to a server on the same machine, "
        "whose answers are cached. Each opens Explore, changes the anchors five times without a pause, and leaves.\n\n"
        f"{machine(['streamlit'])}\n\n{table(rows)}"
    )
    write_part("Many visitors", text)
    _tell(f"{time.monotonic() - began:.0f} s in all")
    return 0 if all(good for *_, good in rows) else 1


def _tell(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
