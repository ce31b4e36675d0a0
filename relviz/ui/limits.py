"""Controls whose limits follow from the data, which may change under an open page."""

from __future__ import annotations

import streamlit as st


def keep_within(key: str, low: int, high: int) -> bool:
    """Bring a control's kept value into its limits, before it is drawn; Streamlit would refuse one outside them.

    Returns whether it had to.
    """
    kept = st.session_state.get(key)
    if kept is None or low <= kept <= high:
        return False
    st.session_state[key] = min(high, max(low, kept))
    return True


def whole_number(label: str, low: int, high: int, default: int, *, key: str, help: str) -> int:
    """A slider of whole numbers whose limits follow from the data; where there is no choice, nothing but the number."""
    if high <= low:
        st.caption(f"{label}: {high}, the only choice for data this small.")
        return high
    value = None if keep_within(key, low, high) else min(default, high)  # Streamlit wants no default beside a kept one
    return st.slider(label, low, high, value, key=key, bind="query-params", help=help)
