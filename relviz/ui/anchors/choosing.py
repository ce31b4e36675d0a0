"""Anchors by hand on the page Anchors: ids that are written or come from a file."""

from __future__ import annotations

import streamlit as st

from relviz import settings
from relviz.core.anchors.ids import parse_anchor_ids
from relviz.errors import BadChoice
from relviz.requests import Anchors, by_hand

_FILE = "anchor-file"


def choose_by_hand(chosen: Anchors) -> Anchors:
    """The anchors whose ids are written here, else those of the sidebar.

    Raises
    ------
    BadChoice: more anchors than pages take.
    """
    with st.expander("Anchors by hand"):
        left, right = st.columns([3, 2])
        right.file_uploader(
            "From a file", type=["txt", "csv"], key=_FILE, on_change=_take_file, help="An id on each line."
        )
        text = left.text_area(
            "Ids of gallery samples",
            key="ids",
            bind="query-params",
            placeholder="Empty: the sidebar chooses",
            help="Separated by commas or lines. They take the place of the sidebar's strategy on this page.",
        )
    if not text:
        return chosen
    ids = parse_anchor_ids(text)
    if len(ids) > settings.MAX_ANCHORS:
        raise BadChoice(f"{len(ids):,} anchors are too many for a page.", f"Name at most {settings.MAX_ANCHORS:,}.")
    return by_hand(ids, chosen)


def _take_file() -> None:
    uploaded = st.session_state.get(_FILE)
    if uploaded is not None:
        st.session_state["ids"] = uploaded.getvalue().decode("utf-8", "replace")
