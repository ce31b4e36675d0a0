"""What surrounds every page: navigation, the shared controls and the footer."""

import time
from pathlib import Path

import streamlit as st

from relviz.ui.controls import choose
from relviz.ui.layout import footer, page_style
from relviz.ui.log import new_request, report
from relviz.ui.wishes import broker, leave_rest

_HERE = Path(__file__).parent

new_request()
began = time.perf_counter()
st.set_page_config(page_title="relviz", layout="wide")
page_style()
page = st.navigation(
    [
        st.Page(_HERE / "explore.py", title="Explore", default=True),
        st.Page(_HERE / "similarity.py", title="Similarity"),
        st.Page(_HERE / "stitching.py", title="Stitching"),
        st.Page(_HERE / "reconstruction.py", title="Reconstruction"),
        st.Page(_HERE / "pairs.py", title="Pairs"),
        st.Page(_HERE / "anchors.py", title="Anchors"),
        st.Page(_HERE / "papers.py", title="Papers"),
    ],
    position="top",
)
choose()
body, foot = st.container(), st.container()
with foot:  # before the page, which may stop
    footer(broker().status().device)
with body:
    page.run()
leave_rest()
report("page drawn", page=page.title, seconds=round(time.perf_counter() - began, 3))
