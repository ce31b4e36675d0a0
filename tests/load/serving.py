"""The server under load: its start, and what it takes of the machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.app import server

RELVIZ_SERVE = (sys.executable, "-m", "relviz.cli", "serve")


@dataclass(frozen=True)
class Server:
    """A server that is ready for work.

    Attributes
    ----------
    address: where it listens.
    pid: of its main process.
    """

    address: str
    pid: int

    def processes(self) -> list[int]:
        """Its processes, the main one first."""
        return [self.pid, *children(self.pid)]

    def resident(self) -> float:
        """Memory that its processes hold, in MiB."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def descriptors(self) -> int:
        """Files, pipes and sockets that its processes hold open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.processes())


def children(pid: int) -> list[int]:
    """Processes that a process started and that still run."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for listed in found for child in listed.read_text().split()]


def processor_seconds(pid: int) -> float:
    """What a process has computed so far; on an idle machine, about the time on the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(cache: Path, *, command: tuple[str, ...] = RELVIZ_SERVE) -> Iterator[Server]:
    """A server with a cache folder of its own, ready for work."""
    port = server.free_port()
    environment = {**os.environ, "RELVIZ_CACHE": str(cache)}
    log = cache.parent / f"{cache.name}.log"
    with (
        log.open("ab") as said,
        server.running([*command, "--port", str(port)], env=environment, stderr=said) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        server.wait_for(f"{address}/healthz", process)
        yield Server(address, process.pid)
