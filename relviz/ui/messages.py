"""What a visitor reads when something cannot be done: one sentence and a hint, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from relviz.errors import RelvizError

_log = logging.getLogger(__name__)


@contextmanager
def refuse() -> Iterator[None]:
    """Show a refusal in place of what the block would have drawn; anything unforeseen goes to the log.

    Streamlit's own stop and rerun signals are no `Exception`s and pass through.
    """
    try:
        yield
    except RelvizError as error:
        st.error(str(error))
    except Exception:
        _log.exception("a page could not be drawn")
        st.error("Something went wrong inside relviz. Its log has the details; reload the page to go on.")
