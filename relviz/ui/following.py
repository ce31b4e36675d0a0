"""Pages follow the files that their numbers come from: a change is seen within a second or two, also by those who wait.

One look a second serves all visitors: what they ask about is looked up once, and only pages that a change concerns are
drawn again. A timer on every page would cost more than all else that many visitors do.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cache

import streamlit as st
from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.scriptrunner import get_script_run_ctx

from relviz.requests import Request, Similarity
from relviz.ui.wishes import Wishes, all_wishes, broker, former_wishes, wishes

_LOOK = 1.0  # seconds between two looks at the files that pages depend on
_log = logging.getLogger(__name__)


def see_shelf(data: str) -> None:
    """Note what the models on offer and a data set are now, so that the page follows when they change."""
    wishes().see(Similarity("", data))  # it follows from every model that fits the data


def catch_up() -> None:
    """Draw the whole page again where it is outdated; what is drawn again by itself calls this first."""
    context = get_script_run_ctx()
    alone = context is not None and context.fragment_ids_this_run  # a whole run asks anew in any case
    known = former_wishes()
    if alone and known is not None and known.outdated(_key):
        st.rerun()


async def follow() -> None:
    """Draw pages again when a file has changed that they show numbers of, also where nobody touches them; for ever."""
    while True:
        await asyncio.sleep(_LOOK)
        for outdated in await asyncio.to_thread(_outdated):
            _draw_again(outdated)


def _outdated() -> list[Wishes]:
    key = cache(_key)  # for this look, and all visitors
    try:
        return [one for one in all_wishes() if one.newly_outdated(key)]
    except Exception:  # noqa: BLE001 whatever it is, the next look may do better
        _log.exception("the files that pages depend on could not be looked at")
        return []


def _draw_again(outdated: Wishes) -> None:
    """Run the page as when its visitor had touched it; of a browser that is away, nothing."""
    session = runtime.get_instance().get_app_session(outdated.visitor)
    if session is not None:
        session.request_rerun(ClientState(page_script_hash=outdated.page, query_string=outdated.query))


def _key(request: Request) -> str | None:
    return broker().key(request, age=_LOOK / 2)
