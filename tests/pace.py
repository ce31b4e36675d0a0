"""Time in tests, measured by the pace of the machine: a limit in bare seconds fails on a slower one for no fault."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

_REFERENCE = 2.0  # seconds that the imports take on the machine of which seconds are promised


def seconds_of(work: Callable[[], Any]) -> float:
    """How long a piece of work takes on the clock."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_time(taken: float, promised: float) -> bool:
    """Whether seconds on the clock keep a promise; what this machine is slower by, in this run, is allowed for."""
    return taken < promised or taken < promised * min(seconds_of(_import) for _ in range(2)) / _REFERENCE


def seconds_of_imports() -> float:
    """What a new process computes to import the packages that any page needs, whatever else the machine does."""
    return min(_import() for _ in range(2))


def _import() -> float:
    code = "import time, torch, streamlit, pandas, plotly; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
