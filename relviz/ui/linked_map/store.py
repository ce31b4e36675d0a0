"""What browsers may fetch: parcels and picture pages by key, made when they are asked for.

A key follows from the content and from a secret of this server: equal content has one key, so that browsers keep what
they have, and nobody can guess the key of what was not offered to them.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

LIMIT = 2**30  # bytes of arrays that are kept alive for browsers to fetch; the least recently offered go first

_HEADERS = {
    "Cache-Control": "private, max-age=604800, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Store:
    """Offers by key, bounded by the bytes that they keep alive.

    >>> store = Store(limit=100)
    >>> key = store.offer([b"what it is"], lambda: b"body", weight=60)
    >>> store.take(key), store.take("another")
    (b'body', None)
    >>> _ = store.offer([b"more"], lambda: b"", weight=60)
    >>> store.take(key) is None
    True
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._secret = secrets.token_bytes(32)
        self._offers: OrderedDict[str, tuple[Callable[[], bytes], int]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def offer(self, content: list[bytes], make: Callable[[], bytes], *, weight: int) -> str:
        """The key by which a browser gets what `make` returns.

        Parameters
        ----------
        content: what the result follows from, in parts.
        weight: bytes that `make` keeps alive.
        """
        digest = hmac.new(self._secret, digestmod="sha256")
        for part in content:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        key = digest.hexdigest()[:32]
        with self._lock:
            _, former = self._offers.pop(key, (None, 0))
            self._offers[key] = (make, weight)
            self._weight += weight - former
            while self._weight > self._limit and len(self._offers) > 1:
                self._weight -= self._offers.popitem(last=False)[1][1]
        return key

    def take(self, key: str) -> bytes | None:
        """The body of an offer; None when there is none of that key, or no longer."""
        with self._lock:
            make, _ = self._offers.get(key, (None, 0))
        return make() if make else None


STORE = Store(limit=LIMIT)


async def _serve(request: Request) -> Response:
    body = await run_in_threadpool(STORE.take, request.path_params["key"])
    if body is None:
        return PlainTextResponse("There are no map data of that key.", status_code=404)
    kind = "image/png" if body.startswith(b"\x89PNG") else "application/octet-stream"
    return Response(body, media_type=kind, headers=_HEADERS)


ROUTE = Route("/maps/{key}", _serve)
