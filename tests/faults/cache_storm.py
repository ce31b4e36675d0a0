"""Many processes at one cache, some of them killed. Run by `test_cache_kills`; prints what it saw as JSON.

A program of its own, because it forks: every child starts at once with torch already imported, and no thread of a test
runner is caught half way.
"""

import fcntl
import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path

import torch

from relviz import settings
from relviz.encoding import cache

KILLS, WORKERS, KEYS = 200, 4, 24
RACERS, ROUNDS = 16, 50


def key(i: int) -> str:
    return cache.cache_key("storm", i=i)


def store(i: int) -> None:
    cache.write(key(i), {"x": torch.arange(8_000.0 * i), "i": torch.tensor(i)}, {"i": i})


def verdict(i: int, *, stored: bool) -> str:
    """What a read of an entry shows, given whether it had been stored before."""
    entry = cache.read(key(i))
    if entry is None:
        return "lost" if stored else "absent"
    whole = entry.keys() == {"x", "i"} and entry["x"].equal(torch.arange(8_000.0 * i)) and entry["i"] == i
    return "whole" if whole and entry.facts == {"i": i} else "corrupt"


class Journal:
    """Lines that outlive their writer; a line is appended whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def add(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()


def worker(journal: Journal, seed: int) -> int:
    """Start like a server, then write and read until killed."""
    chance = random.Random(seed)  # noqa: S311
    cache.sweep()
    while True:
        i = chance.randrange(KEYS)
        if chance.random() < 0.7:
            store(i)
            journal.add(f"stored {i}")
        else:
            journal.add(verdict(i, stored=f"stored {i}" in journal.lines()))


def start(journal: Journal, seed: int) -> int:
    child = os.fork()
    if not child:
        os._exit(worker(journal, seed))
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def abandoned() -> int:
    """Temporary files whose writers are dead."""
    count = 0
    for path in (settings.cache_dir() / "relviz-results").glob("*.tmp"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            count += 1
    return count


def killed(journal: Journal) -> dict[str, int]:
    chance = random.Random(0)  # noqa: S311
    children = [start(journal, seed) for seed in range(WORKERS)]
    interrupted = 0
    for seed in range(WORKERS, WORKERS + KILLS):
        time.sleep(chance.uniform(0.005, 0.03))
        kill(children.pop(0))
        interrupted += abandoned() > 0
        children.append(start(journal, seed))
        chance.shuffle(children)
    for child in children:
        kill(child)
    cache.sweep()
    seen = Counter(line.split()[0] for line in journal.lines())
    last = Counter(verdict(int(line.split()[1]), stored=True) for line in set(journal.lines()) if "stored" in line)
    return {
        "kills": KILLS + WORKERS,
        "interrupted": interrupted,
        "stored": seen["stored"],
        "whole": seen["whole"],
        "lost": seen["lost"] + last["lost"],
        "corrupt": seen["corrupt"] + last["corrupt"],
        "leftovers": len(list((settings.cache_dir() / "relviz-results").glob("*.tmp"))),
    }


def racer(journal: Journal, start_line: Barrier, mine: int) -> None:
    """Write what only this process writes under a key that all write; read at once, and again when all have written."""
    for i in range(ROUNDS):
        for moment in ("during", "after"):
            start_line.wait(60)
            if moment == "during":
                cache.write(key(i), {"x": torch.full((20_000,), mine)}, {"mine": mine})
            entry = cache.read(key(i))
            whole = entry is not None and bool((entry["x"] == entry.facts["mine"]).all())
            digest = hashlib.sha256(entry["x"].numpy().tobytes()).hexdigest() if entry else None
            journal.add(json.dumps([moment, i, whole, digest]))


def raced(journal: Journal) -> dict[str, int]:
    forking = multiprocessing.get_context("fork")
    line = forking.Barrier(RACERS)
    racers = [forking.Process(target=racer, args=(journal, line, mine)) for mine in range(RACERS)]
    for process in racers:
        process.start()
    for process in racers:
        process.join()
    reads = [json.loads(text) for text in journal.lines()]
    settled = {(i, digest) for moment, i, _, digest in reads if moment == "after"}
    return {"reads": len(reads), "whole": sum(whole for _, _, whole, _ in reads), "contents": len(settled)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    storm = {"killed": killed, "raced": raced}[sys.argv[1]]
    print(json.dumps(storm(Journal(settings.cache_dir() / "journal"))))
