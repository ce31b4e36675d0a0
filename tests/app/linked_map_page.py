"""The linked maps by themselves, with made-up rows: what the browser tests and the benchmark look at.

The address chooses: `?n=` rows, `&classes=`, `&anchors=` of them, `&long=` names.
"""

import time

import numpy as np
import streamlit as st

from relviz.plots.palette import MODEL_A, MODEL_B
from relviz.ui.layout import page_style
from relviz.ui.linked_map import Classes, Morph, Numbers, Pictures, Selection, Texts, View, linked_map
from tests.app.linked_map_rows import NAMES, made_up

st.set_page_config(layout="wide")
page_style()
n = int(st.query_params.get("n", "2000"))
classes = int(st.query_params.get("classes", "10"))
rows = made_up(n, classes)
names = NAMES[:classes] if classes <= len(NAMES) else [f"class {number:03d}" for number in range(classes)]
if "long" in st.query_params:
    names = [f"{(70 // len(name)) * (name + ' ')}<b>{number}</b> 🙂" for number, name in enumerate(names)]
crowd = int(st.query_params.get("anchors", "40"))

left, middle, right, wide = st.columns(4)
colour = left.radio("Colour", ["class", "local agreement"], horizontal=True)
anchors = middle.radio("Anchors", [20, crowd], horizontal=True)
if right.button("Select the first hundred"):
    st.session_state["turn"] = st.session_state.get("turn", 0) + 1
turn = st.session_state.get("turn", 0)
asked = Selection(np.arange(n) < 100, turn) if turn else None

start = time.perf_counter()
done = linked_map(
    [
        View(
            title,
            "keeps 41 % (chance 0.75 %)",
            rows[name],
            hue,
            frame,
            rows[name][: anchors * 7 : 7] if anchors * 7 <= n else rows[name][:anchors],
        )
        for title, name, hue, frame in (
            ("Absolute A · cnn-s0", "a", MODEL_A, "a"),
            ("Absolute B · cnn-s1", "b", MODEL_B, "b"),
            ("Relative A · cnn-s0", "relative a", MODEL_A, "relative"),
            ("Relative B · cnn-s1", "relative b", MODEL_B, "relative"),
        )
    ],
    ids=np.arange(n) + 8000,
    columns=[
        Classes("class", rows["codes"], names),
        Classes("stitched", (rows["agreement"] > 0.2).astype(int), ["wrong", "right"]),
        Numbers("local agreement", rows["agreement"]),
        *([Texts("note", [f"note {row}" for row in range(n)])] if n <= 20_000 else []),
    ],
    colour=colour,
    key="maps",
    height=560,
    card=["stitched", "local agreement"],
    pictures=Pictures(rows["pictures"], f"made up {n}") if n <= 20_000 else None,
    selection=asked,
    morph=Morph([(0, 2), (1, 3)], ("absolute", "relative")),
    overlay=(2, 3),
)
took = time.perf_counter() - start
chosen = np.flatnonzero(done.selected)
wide.html(
    f"<div id=told data-count={len(chosen)} data-sum={int(chosen.sum())} data-clicked={done.clicked} "
    f"data-turn={turn} data-took={took:.4f}>"
    f"{len(chosen)} selected, clicked {done.clicked}</div>"
)
