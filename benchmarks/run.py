"""Times every kernel beside its peers and writes the first part of `benchmarks/RESULTS.md`.

Each contender runs in its own process (so that one's memory is not another's), contenders of one group in turn, in
several rounds, since a shared machine is now slower and now faster. Quoted are the median over the rounds of the median
time of the repeats, and the most memory above what the data took.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch

from benchmarks.contenders import GROUPS, Contender
from benchmarks.results import machine, write_part
from relviz.packages import declare_operators

PACKAGES = ("torch", "numpy", "latentis", "scikit-learn", "faiss-cpu", "scipy")


def main() -> None:
    """Run all groups, or, called with a group and a contender, that one."""
    if len(sys.argv) == 3:
        declare_operators()  # latentis imports torchvision, whose operators a CPU build of torch lacks
        print(json.dumps(measure(GROUPS[sys.argv[1]].contenders[sys.argv[2]])))
        return
    head = f"Written by `make bench`. Medians of several repeats in rounds that alternate.\n\n{machine(PACKAGES)}\n"
    write_part("Kernels and their peers", "\n".join([head, *(_section(name) for name in GROUPS)]))


def measure(contender: Contender) -> dict[str, float]:
    """Median seconds of the contender's repeats and its peak memory above the data, in MiB."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(os.cpu_count() or 1)
    work = contender.prepare()
    work()  # compilation and lazy imports are not what is compared
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    times = []
    for _ in range(contender.repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "mib": max(0, _status("VmHWM") - before) / 1024}


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def _section(name: str) -> str:
    group = GROUPS[name]
    rounds = [{contender: _measured(name, contender) for contender in group.contenders} for _ in range(group.rounds)]
    found = {
        contender: {
            "seconds": statistics.median(one[contender]["seconds"] for one in rounds),
            "mib": max(one[contender]["mib"] for one in rounds),
        }
        for contender in group.contenders
    }
    ours = found[next(iter(found))]
    rows = [
        f"| {contender} | {row['seconds']:.4f} | {row['seconds'] / ours['seconds']:.2f} | {row['mib']:.0f} |"
        for contender, row in found.items()
    ]
    table = "\n".join(["| contender | seconds | times ours | peak MiB |", "| --- | --- | --- | --- |", *rows])
    goal = f"\n\nGoal: {group.goal} **{'Met' if group.met(found) else 'Missed'}.**" if group.goal else ""
    return f"### {name}\n\n{group.what}\n\n{table}{goal}\n"


def _measured(name: str, contender: str) -> dict[str, float]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", "benchmarks.run", name, contender]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 our own module
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}: {contender}: {found['seconds']:.4f} s", flush=True)
    return found


if __name__ == "__main__":
    main()
