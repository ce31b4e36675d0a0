"""relviz in the browser: `streamlit run app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st


@asynccontextmanager
async def warm_start(_app: object) -> AsyncIterator[None]:
    """Begin computing what the first visitor will see, in the background."""
    from relviz.ui.asking import warm_up  # its broker lives in the runtime that has started by now

    warm_up()
    yield


app = st.App(Path(__file__).parent / "pages" / "frame.py", lifespan=warm_start)
