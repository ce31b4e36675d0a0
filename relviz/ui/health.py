"""What the server tells machines: `/healthz`, and headers that keep its pages out of other sites' hands."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relviz import __version__
from relviz.ui.linked_map.store import ROUTE as MAP_DATA
from relviz.ui.wishes import broker

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='",  # in Streamlit's own first page
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
        )
    ),
}
_CLOSED = "/_stcore/metrics"  # Streamlit tells memory figures to anyone who asks


async def healthz(_request: Request) -> JSONResponse:
    """200 while work can be done, else 503, with what the broker knows of itself."""
    status = broker().status()
    device = status.device
    well = status.ready and not (device and device.dead)
    found = {
        "ready": status.ready,
        "waiting": status.waiting,
        "running": status.running,
        "device": device and {"name": device.name, "dead": device.dead},
        "version": __version__,
    }
    return JSONResponse(found, status_code=200 if well else 503, headers={"Cache-Control": "no-store"})


routes = [Route("/healthz", healthz), MAP_DATA]


class SafeHeaders:
    """Adds `HEADERS` to every response and closes Streamlit's metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        closed = scope["type"] == "http" and scope["path"].rstrip("/").endswith(_CLOSED)
        app = PlainTextResponse("Not here.", 404) if closed else self._app
        await app(scope, receive, send_safely)
