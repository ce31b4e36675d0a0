"""What surrounds every page: navigation and the shared controls."""

from pathlib import Path

import streamlit as st

from relviz.ui.controls import choose
from relviz.ui.layout import page_style

_HERE = Path(__file__).parent

st.set_page_config(page_title="relviz", layout="wide")
page_style()
page = st.navigation(
    [
        st.Page(_HERE / "explore.py", title="Explore", default=True),
        st.Page(_HERE / "similarity.py", title="Similarity"),
        st.Page(_HERE / "stitching.py", title="Stitching"),
    ],
    position="top",
)
choose()
page.run()
