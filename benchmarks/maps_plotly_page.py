"""The baseline: four plotly maps of the same made-up rows in one figure, whose selection goes to Python."""

import time

import plotly.graph_objects as go
import streamlit as st

from relviz.plots.palette import CLASSES
from relviz.ui.layout import page_style
from tests.app.linked_map_rows import made_up

st.set_page_config(layout="wide")
page_style()
n = int(st.query_params.get("n", "2000"))
rows = made_up(n, 10)
start = time.perf_counter()
figure = go.Figure()
for panel, name in enumerate(("a", "b", "relative a", "relative b"), start=1):
    marker = {"size": 3, "color": rows["codes"], "colorscale": list(CLASSES)}
    place = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
    figure.add_scattergl(x=rows[name][:, 0], y=rows[name][:, 1], mode="markers", marker=marker, **place)
figure.update_layout(grid={"rows": 2, "columns": 2, "pattern": "independent"}, height=560, dragmode="select")
chosen = st.plotly_chart(figure, key="maps", on_select="rerun", selection_mode="box")
count = len(chosen["selection"]["point_indices"])
st.html(f"<div id=told data-count={count} data-took={time.perf_counter() - start:.4f}>{count} selected</div>")
