"""A visitor who leaves takes the unfinished work along."""

import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.app import server
from tests.pace import in_time
from tests.waiting import wait_until


def unfinished(address: str) -> int | None:
    """How many jobs wait or run; None while the server is not ready."""
    try:
        with urllib.request.urlopen(f"{address}/healthz") as answer:  # noqa: S310
            status = json.load(answer)
    except urllib.error.HTTPError:
        return None
    return int(status["waiting"] + status["running"])


def views() -> set[Path]:
    return set(Path(os.environ["RELVIZ_CACHE"]).rglob("view-*"))


def test_the_jobs_of_a_closed_browser_are_dropped_at_once(own_environment: Path) -> None:
    with server.serving() as address, server.browser() as chromium:
        time.sleep(1)
        wait_until(lambda: unfinished(address) == 0, within=120)  # what the server asked for itself
        before = views()
        page = chromium.new_page()
        page.goto(f"{address}/?seed=77&b=fmnist-resnet-s1")
        wait_until(lambda: bool(unfinished(address)))
        page.close()
        assert in_time(wait_until(lambda: unfinished(address) == 0), 4)
        assert len(views() - before) < 2  # the rest was left, not done
