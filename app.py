"""relviz in the browser: `streamlit run app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from relviz.service import reducer


@asynccontextmanager
async def warm_start(_app: object) -> AsyncIterator[None]:
    """Begin compiling UMAP while the first visitor is still reading the page."""
    reducer.warm()
    yield


app = st.App(Path(__file__).parent / "pages" / "frame.py", lifespan=warm_start)
