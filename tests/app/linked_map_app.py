"""The server around `linked_map_page.py`, with the route by which browsers fetch map data."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from relviz.ui.health import SafeHeaders
from relviz.ui.linked_map.store import ROUTE

app = st.App(Path(__file__).parent / "linked_map_page.py", routes=[ROUTE], middleware=[Middleware(SafeHeaders)])
