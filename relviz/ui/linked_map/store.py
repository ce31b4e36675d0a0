"""What browsers may fetch: parcels and picture pages by key, made when they are asked for.

A key follows from the content and from a secret of this server: equal content has one key, so that browsers keep what
they have, and nobody can guess the key of what was not offered to them.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from relviz.encoding.memory import Kept

LIMIT = 2**30  # bytes of arrays that are kept alive for browsers to fetch; the least recently used go first

_HEADERS = {
    "Cache-Control": "private, max-age=604800, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class _Offer:
    make: Callable[[], bytes]
    weight: int


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
        self._secret = secrets.token_bytes(32)
        self._offers: Kept[str, _Offer] = Kept(limit, lambda offer: offer.weight)

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
        self._offers[key] = _Offer(make, weight)
        return key

    def take(self, key: str) -> bytes | None:
        """The body of an offer; None when there is none of that key, or no longer."""
        offer = self._offers.get(key)
        return offer.make() if offer else None


STORE = Store(limit=LIMIT)


async def _serve(request: Request) -> Response:
    body = await run_in_threadpool(STORE.take, request.path_params["key"])
    if body is None:
        return PlainTextResponse("There are no map data of that key.", status_code=404)
    kind = "image/png" if body.startswith(b"\x89PNG") else "application/octet-stream"
    return Response(body, media_type=kind, headers=_HEADERS)


ROUTE = Route("/maps/{key}", _serve)
