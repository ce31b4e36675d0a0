"""Small matters of layout that all pages share."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from relviz.encoding import cache
from relviz.encoding.device import DeviceStatus

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.9rem 1.5rem 1rem; }
[data-testid="stSidebarHeader"] { height: 2rem; }
[data-testid="stAppViewContainer"] { font-variant-numeric: tabular-nums; }
</style>"""


def page_style() -> None:
    """Less air above the page, so that four maps fit on one screen, and figures of one width."""
    st.html(_STYLE)


def footer(device: DeviceStatus | None) -> None:
    """Where numbers are computed, how full it is, and what is not as it should be."""
    notices = list(device.notices) if device else []
    if device:
        used, total = (f"{size / 2**30:.1f}" for size in (device.used_bytes, device.total_bytes))
        notices.insert(0, f"{device.name}, {used} of {total} GB in use")
    if not _results_are_kept():
        notices.append("Results are not kept on disk; see the server's log.")
    st.caption(" · ".join(notices))


@st.cache_data(ttl=60, show_spinner=False)
def _results_are_kept() -> bool:
    return cache.info().off is None


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """A plotly figure in the page's theme, without the vendor's logo."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displaylogo": False, "scrollZoom": True})
