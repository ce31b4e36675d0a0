"""Asking for results from a page: an answer when it is there, else progress that refreshes the page when it is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from relviz.service.jobs import Broker, Job
from relviz.service.requests import Request
from relviz.ui.messages import refuse

_PATIENCE = 0.4  # seconds a page waits before it shows progress instead


@st.cache_resource
def broker() -> Broker:
    """The one broker of this server."""
    return Broker()


def ask(request: Request, *, slot: str) -> Any | None:
    """The answer to a request, or None while it is being computed or when it was refused.

    Draws progress or the refusal where it is called. What the page showed here for an earlier choice is gone before
    this waits, so that no number of another choice is ever on the page.

    Parameters
    ----------
    slot: the place on the page; a visitor has at most one request under way for each.
    """
    job = _submit(request, slot)
    place = st.empty()
    if not job.finished():
        place.progress(job.share, text=f"{job.text} …")
        if not job.finished(within=_PATIENCE):
            place.empty()
            _watch(job, slot)
            return None
        place.empty()
    answer = None
    with refuse():
        answer = job.answer()
    return answer


def _submit(request: Request, slot: str) -> Job:
    job = broker().submit(request)
    former: Job | None = st.session_state.get(f"job-{slot}")
    if former is not None and former is not job:
        broker().abandon(former)
    st.session_state[f"job-{slot}"] = job
    return job


@st.fragment(run_every=0.5)
def _watch(job: Job, slot: str) -> None:
    if job.finished():
        st.rerun()
    st.progress(job.share, text=f"{job.text} …")
