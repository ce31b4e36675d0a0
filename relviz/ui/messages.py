"""What a visitor reads when something cannot be done: one sentence and a hint, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from relviz.errors import RelvizError
from relviz.ui.log import report_failure
from relviz.ui.text import public


@contextmanager
def refuse() -> Iterator[None]:
    """Show a refusal in place of what the block would have drawn; anything unforeseen goes to the log.

    Streamlit's own stop and rerun signals are no `Exception`s and pass through.
    """
    try:
        yield
    except Exception as error:
        show_error(error)


def show_error(error: Exception) -> bool:
    """Say what went wrong; returns True, which tells Streamlit that it has been shown."""
    if isinstance(error, RelvizError):
        st.error(public(str(error)))
    else:
        found = report_failure(error, "a page could not be drawn")
        st.error(f"Something went wrong inside relviz; its log tells more under {found}. Reload the page to go on.")
    return True
