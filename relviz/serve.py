"""Serving the pages until told to stop: `relviz serve`."""

from __future__ import annotations

import errno
import runpy
import signal
import socket
import sys
from pathlib import Path

from relviz.errors import BadChoice, DamagedAsset, PortBusy

APP = Path(__file__).resolve().parent.parent / "app.py"


def serve(*, host: str, port: int) -> None:
    """Serve the pages on one address; returns when the process is told to end (SIGTERM, Ctrl-C).

    What else there is to set stands in `.streamlit/config.toml` beside the app file.

    Raises
    ------
    BadChoice: this machine has no such address, or there is no such port for its users.
    DamagedAsset: there is no app file.
    PortBusy: somebody else listens there.
    """
    if not APP.is_file():
        raise DamagedAsset(f"The pages' app file, {APP}, is missing.", "Start relviz from a complete checkout.")
    _check_free(host, port)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops gracefully, then raises the signal again
        signal.signal(number, lambda *_: sys.exit(0))
    sys.argv = [str(APP)]  # where Streamlit looks for its settings, whatever folder this was started in
    called = names(host)
    where = {"server.address": host, "server.port": port}
    app = runpy.run_path(str(APP))["app"]
    app.run(config={**where, "server.allowedHosts": called, "browser.serverAddress": called[0]})


def _check_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            probe.bind((host, port))
    except OverflowError as error:
        raise BadChoice(f"There is no port {port}.", "Ports go from 1 to 65535.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(f"Port {port} of {host} is taken.", "Name another with --port.") from error
        if error.errno == errno.EACCES:
            raise BadChoice(f"Port {port} is the system's.", "Choose one above 1023.") from error
        raise BadChoice(
            f"This machine has no address '{host}' to serve on.",
            "127.0.0.1 serves this machine alone, 0.0.0.0 its whole network.",
        ) from error


def names(host: str) -> list[str]:
    """Names and addresses by which browsers may call a server there; any other name is a stranger's trick."""
    own = [host]
    if host in ("0.0.0.0", "::"):  # noqa: S104 asked for by name
        own = [socket.gethostname(), socket.getfqdn(), *_own_address()]
    return [*own, "127.0.0.1", "localhost"]


def _own_address() -> list[str]:
    """The address by which this machine is seen from its network, if it has one."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # picks a way there; nothing is sent
        except OSError:
            return []
        return [str(probe.getsockname()[0])]
