"""A real server and a real browser for tests and screenshots."""

import contextlib
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serving(app: str = "app.py") -> Iterator[str]:
    """The app as Streamlit itself starts it, on a free port; yields its address."""
    port = free_port()
    with running([sys.executable, "-m", "streamlit", "run", app, "--server.port", str(port)]) as process:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/_stcore/health", process)
        yield address


@contextlib.contextmanager
def running(command: list[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process started in the checkout, ended when no longer needed."""
    process = subprocess.Popen(command, **{"cwd": ROOT, "stdout": subprocess.DEVNULL, **how})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def browser(*more: str) -> Iterator[Browser]:
    """Headless Chromium; a missing one is an error, never a skip."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Chromium; install Debian's package chromium"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", *more]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers well."""

    def answers() -> bool:
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:  # noqa: S310
            return bool(answer.status == 200)
        return False

    wait_until(answers, within=120)
