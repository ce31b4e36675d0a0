"""A visitor who leaves takes the unfinished work along."""

import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.app import server


def unfinished(address: str) -> int:
    with urllib.request.urlopen(f"{address}/healthz") as answer:  # noqa: S310
        status = json.load(answer)
    return status["waiting"] + status["running"]


def until(count: bool, address: str, within: float) -> float:
    """Seconds until there is, or is no, unfinished job."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        try:
            if bool(unfinished(address)) == count:
                return time.monotonic() - began
        except urllib.error.HTTPError:
            pass  # not ready yet
        time.sleep(0.05)
    raise AssertionError(f"{'no' if count else 'an'} unfinished job after {within} seconds")


def views() -> set[Path]:
    return set(Path(os.environ["RELVIZ_CACHE"]).rglob("view-*"))


def test_the_jobs_of_a_closed_browser_are_dropped_at_once(own_environment: Path) -> None:
    with server.serving() as address, server.browser() as chromium:
        time.sleep(1)
        until(False, address, within=120)  # what the server asked for itself
        before = views()
        page = chromium.new_page()
        page.goto(f"{address}/?seed=77&b=fmnist-resnet-s1")
        until(True, address, within=60)
        page.close()
        assert until(False, address, within=20) < 4
        assert len(views() - before) < 2  # the rest was left, not done
