"""relviz in the browser: `relviz serve`, or `streamlit run app.py`."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from relviz.encoding import cache
from relviz.ui.following import follow
from relviz.ui.health import SafeHeaders, routes
from relviz.ui.log import report, start_log
from relviz.ui.messages import show_error
from relviz.ui.wishes import broker, warm_up


@asynccontextmanager
async def life(_app: object) -> AsyncIterator[None]:
    """Begin computing what the first visitor will see, in the background; at the end, leave no process behind."""
    start_log()
    threading.Thread(target=cache.sweep, daemon=True).start()
    warm_up()
    following = asyncio.create_task(follow())
    report("serving")
    try:
        yield
    finally:
        following.cancel()
        broker().close()
        report("stopped")


app = st.App(
    Path(__file__).parent / "pages" / "frame.py",
    lifespan=life,
    routes=routes,
    middleware=[Middleware(SafeHeaders)],
    on_script_error=show_error,
)
