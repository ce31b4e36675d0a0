"""`relviz serve` as an operator, a monitor and a stranger meet it."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from relviz import __version__, cli, serve
from relviz.encoding.device import DeviceStatus
from relviz.jobs.broker import BrokerStatus
from relviz.ui import health
from relviz.ui.health import HEADERS
from tests.app import server
from tests.load.client import Visitor, visiting
from tests.load.serving import RELVIZ_SERVE, Server, children, processor_seconds, serving
from tests.pace import in_time, seconds_of_imports
from tests.waiting import wait_until

DIGITS = "data=digits"
PAGES = ["", "similarity", "stitching"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served") / "cache") as found:
        yield found


def ask(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request, sent as it stands."""
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), b"" if answer.status == 101 else answer.read()
    connection.close()
    return found


async def first_run(address: str, query: str, page: str = "") -> Visitor:
    """A page as it stands after one run of its script."""
    async with visiting(address, query, page=page) as visitor:
        await visitor.run(until=lambda _: True)
        return visitor


def test_healthz_tells_how_the_server_does(served: Server) -> None:
    status, headers, body = ask(served.address, "/healthz")
    found = json.loads(body)
    assert status == 200 and headers["cache-control"] == "no-store"
    assert found["ready"] is True and found["version"] == __version__
    assert isinstance(found["waiting"], int) and isinstance(found["running"], int)
    assert found["device"]["name"] and found["device"]["dead"] is False


@pytest.mark.parametrize(
    ("ready", "dead", "status"), [(True, False, 200), (False, False, 503), (True, True, 503), (True, None, 200)]
)
def test_healthz_is_red_while_nothing_can_be_done_well(
    ready: bool, dead: bool | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = None if dead is None else DeviceStatus("a GPU", "cuda", 1, 2, dead, ())
    busy = SimpleNamespace(status=lambda: BrokerStatus(ready, 3, 1, device))
    monkeypatch.setattr(health, "broker", lambda: busy)
    answer = asyncio.run(health.healthz(Request({"type": "http"})))
    found = json.loads(bytes(answer.body))
    assert answer.status_code == status and (found["waiting"], found["running"]) == (3, 1)


@pytest.mark.parametrize("path", ["/", "/healthz", "/_stcore/health", "/no/such/page", "/_stcore/metrics", "/%2e%2e/x"])
def test_every_response_has_the_safe_headers(served: Server, path: str) -> None:
    _, headers, _ = ask(served.address, path)
    lower = {name.lower(): value for name, value in headers.items()}
    assert {name: lower.get(name.lower()) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/_stcore/%6detrics", "//_stcore/metrics"])
def test_metrics_are_closed(served: Server, path: str) -> None:
    status, _, body = ask(served.address, path)
    assert status in (400, 404) and b"memory" not in body


@pytest.mark.parametrize("prefix", ["", "/static", "/media", "/component", "/_stcore", "/app/static"])
@pytest.mark.parametrize(
    "way", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "/..%5cpyproject.toml", "//etc/passwd", "/%00/x"]
)
def test_no_path_leads_out_of_the_pages(served: Server, prefix: str, way: str) -> None:
    status, _, body = ask(served.address, prefix + way)
    assert 400 <= status < 500 or body == ask(served.address, "/")[2]  # the pages' own frame
    assert b"build-system" not in body and b"root:" not in body


def test_websockets_of_other_sites_are_refused(served: Server) -> None:
    host = served.address.removeprefix("http://")
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Protocol": "streamlit",
    }  # fmt: skip
    own = {"Host": host, "Origin": served.address}
    strangers = [
        {**own, "Origin": "http://evil.example"},
        {**own, "Origin": f"http://127.0.0.1.evil.example:{host.split(':')[1]}"},
        {"Host": "evil.example", "Origin": "http://evil.example"},  # a name of theirs that leads here
        {"Host": f"evil.example:{host.split(':')[1]}"},
    ]
    assert ask(served.address, "/_stcore/stream", **upgrade, **own)[0] == 101
    assert [ask(served.address, "/_stcore/stream", **upgrade, **one)[0] for one in strangers] == [403] * 4


def test_what_cannot_be_served_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = str(taken.getsockname()[1])
        assert cli.main(["serve", "--port", busy]) == 1
        assert capsys.readouterr().err == f"relviz: Port {busy} of 127.0.0.1 is taken. Name another with --port.\n"
    assert cli.main(["serve", "--host", "192.0.2.7"]) == 1
    assert capsys.readouterr().err.startswith("relviz: This machine has no address '192.0.2.7' to serve on.")
    assert cli.main(["serve", "--port", "70000"]) == 1
    assert capsys.readouterr().err == "relviz: There is no port 70000. Ports go from 1 to 65535.\n"


def test_a_missing_app_file_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "APP", tmp_path / "app.py")
    assert cli.main(["serve"]) == 1
    assert "app.py, is missing. Start relviz from a complete checkout." in capsys.readouterr().err


def test_a_network_address_is_called_by_its_own_names() -> None:
    everywhere = serve.names("0.0.0.0")  # noqa: S104
    assert {"127.0.0.1", "localhost", socket.gethostname()} <= set(everywhere)
    assert "*" not in everywhere and "0.0.0.0" not in everywhere  # noqa: S104
    assert serve.names("192.0.2.7") == ["192.0.2.7", "127.0.0.1", "localhost"]


def gone(workers: list[int]) -> bool:
    """Whether these processes are no more."""
    return not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_five_seconds_and_leaves_nobody_behind(tmp_path: Path, number: int) -> None:
    port = server.free_port()
    environment = {**os.environ, "RELVIZ_CACHE": str(tmp_path)}
    with server.running([*RELVIZ_SERVE, "--port", str(port)], env=environment, stderr=subprocess.PIPE) as process:
        server.wait_for(f"http://127.0.0.1:{port}/healthz", process)
        workers = children(process.pid)
        with socket.create_connection(("127.0.0.1", port)):  # a browser that does not hang up
            process.send_signal(number)
            began = time.monotonic()
            _, said = process.communicate(timeout=60)
            took = time.monotonic() - began
    assert process.returncode == 0 and b"Traceback" not in said and in_time(took, 5)
    assert len(workers) == 2 and gone(workers)


def test_after_a_kill_the_first_page_comes_from_the_cache(tmp_path: Path) -> None:
    times = []
    for life in range(3):
        port = server.free_port()
        environment = {**os.environ, "RELVIZ_CACHE": str(tmp_path)}
        with server.running([*RELVIZ_SERVE, "--port", str(port)], env=environment) as process:
            address = f"http://127.0.0.1:{port}"
            server.wait_for(f"{address}/_stcore/health", process)
            if life:
                page = asyncio.run(first_run(address, DIGITS))
                # In this machine's pace of the moment: other processes are not its fault.
                times.append(processor_seconds(process.pid) / seconds_of_imports())
                assert answered(page)  # before a worker can have begun
            else:
                asyncio.run(first_answers(address))
                time.sleep(1)  # they are written down after they are shown
            workers = children(process.pid)
            process.kill()
            process.wait(5)
        wait_until(partial(gone, workers))
    assert min(times) < 2.5, f"{times} times what the imports alone take"


async def first_answers(address: str) -> None:
    async with visiting(address, DIGITS) as visitor:
        await visitor.run(until=answered)


def answered(visitor: Visitor) -> bool:
    """Whether a page shows maps and its sentence; a better map may still be on its way."""
    return visitor.charts() > 0 and "**300 anchors**" in visitor.text()


def test_the_footer_tells_of_device_and_cache(served: Server, tmp_path: Path) -> None:
    kept = asyncio.run(first_run(served.address, DIGITS)).text()
    assert re.search(r"CPU|GPU|NVIDIA", kept) and re.search(r"\d\.\d of \d+\.\d GB in use", kept)
    assert "not kept" not in kept
    (tmp_path / "file").touch()
    command = (*RELVIZ_SERVE, "--cache-dir", str(tmp_path / "file" / "cache"))
    with serving(tmp_path / "log", command=command) as unkept:
        told = asyncio.run(first_run(unkept.address, DIGITS)).text()
    assert "Results are not kept on disk" in told and str(tmp_path) not in told


BROKEN = """
import sys
from relviz import cli
from relviz.ui.asking import Question
def answer(*_, **__):
    raise RuntimeError("secret /path/of/the/server")
Question.answer = answer
sys.exit(cli.main(sys.argv[1:]))
"""


def test_an_error_on_any_page_has_an_id_that_is_in_the_log(tmp_path: Path) -> None:
    command = (sys.executable, "-c", BROKEN, "serve")
    with serving(tmp_path / "cache", command=command) as broken:
        complaints = {page: asyncio.run(complaint(broken.address, page)) for page in PAGES}
        log = [json.loads(line) for line in (tmp_path / "cache.log").read_text().splitlines() if line[:1] == "{"]
    traces = {line["request"]: line["traceback"] for line in log if "traceback" in line}
    for words in complaints.values():
        assert "secret" not in words and "/" not in words and "Traceback" not in words
        found = re.search(r"its log tells more under ([0-9a-f]{6})\.", words)
        assert found and "secret /path/of/the/server" in traces[found[1]]


async def complaint(address: str, page: str) -> str:
    async with visiting(address, DIGITS, page=page) as visitor:
        await visitor.run(until=lambda one: bool(one.complaints()))
        return "\n".join(visitor.complaints())
