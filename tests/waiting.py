"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], within: float = 60.0) -> float:
    """Seconds until a condition holds; one that never does is an error."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, f"still not so after {within} seconds"
        time.sleep(0.02)
    return time.monotonic() - began
