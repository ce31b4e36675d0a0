"""Small matters of layout that all pages share."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.4rem 1.5rem 1rem; }
[data-testid="stSidebarHeader"] { height: 2rem; }
[data-testid="stAppViewContainer"] { font-variant-numeric: tabular-nums; }
</style>"""


def page_style() -> None:
    """Less air above the page, so that four maps fit on one screen, and figures of one width."""
    st.html(_STYLE)


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """A plotly figure in the page's theme, without the vendor's logo."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displaylogo": False, "scrollZoom": True})
