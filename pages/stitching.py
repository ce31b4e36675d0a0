"""Stitching: which encoder can drive which head."""

from functools import partial

import streamlit as st

from relviz.core.stitching import METHODS
from relviz.models.catalogue import names_for
from relviz.requests import Stitch
from relviz.ui.asking import Series
from relviz.ui.controls import chosen
from relviz.ui.notes import show_notes
from relviz.ui.stitching.board import show_board, show_table
from relviz.ui.stitching.breaks import show_breakage
from relviz.ui.stitching.pair import SLOW, curve_requests, method_requests, show_curve, show_methods
from relviz.usecases.stitching import METRICS, SEEDS, groups, seeded

choice = chosen()
notes, answer = st.container(key="notes"), st.empty()
columns = st.columns([3, 2, 2, 3])
method = columns[0].selectbox(
    "Way of communication",
    list(METHODS),
    index=list(METHODS).index("relative-cosine"),
    key="method",
    bind="query-params",
    help="How a foreign encoder's vectors come to the head. The curve draws those in closed form, this one strongly.",
)
metric = columns[1].selectbox(
    "Metric",
    list(METRICS),
    format_func=METRICS.__getitem__,
    key="score",
    bind="query-params",
    help="On held-out samples.",
)
seeds = columns[2].selectbox(
    "Anchor sets",
    SEEDS,
    key="seeds",
    bind="query-params",
    help="Sets that differ in their seed; the board then shows means, and the lowest and highest value.",
)
pairs = {"A to B": (choice.a, choice.b), "B to A": (choice.b, choice.a)}
pair = pairs[
    columns[3].selectbox(
        "Direction", list(pairs), key="direction", bind="query-params", help="Whose encoder is read by whose head."
    )
]

kinds = groups(names_for(choice.dataset, decoding=False))
names = tuple(name for group in kinds.values() for name in group)
boards = {
    f"set {place}": Stitch(names, choice.data, anchors, (method,))
    for place, anchors in enumerate(seeded(choice.anchors, seeds))
}
left, right = st.columns([5, 5])
with right:
    drawing = st.container()
    slow = st.multiselect(
        "Also draw",
        SLOW,
        key="slow",
        placeholder="Also draw, seconds a point: trained or by graph search",
        label_visibility="collapsed",
    )
board, curve = Series("board"), Series("curve")
board.ask({"set 0": boards["set 0"]})  # the first picture, then the curve, then how sure the first picture is
curve.ask(curve_requests(choice, slow))
board.ask(boards)
with left:
    board.show(partial(show_board, kinds=kinds, method=method, metric=metric, sentence=answer))
with drawing:
    curve.show(partial(show_curve, pair=pair, method=method, metric=metric, anchors=choice.anchors.count))

breaks, beside, cells, done = st.tabs(
    ["What breaks", "All methods, this pair", "Table", "How it is done"], key="more", bind="query-params"
)
if breaks.open:
    with breaks:
        show_breakage(choice, pair, method)
if beside.open:
    with beside:
        methods = Series("methods")
        methods.ask(method_requests(choice, seeds))
        methods.show(partial(show_methods, choice=choice, metric=metric))
if cells.open:
    with cells:
        board.show(partial(show_table, metric=metric))
if done.open:
    with done:
        for name, entry in METHODS.items():
            st.markdown(f"**{name}**: {entry.summary}. Source: {entry.source}.")
show_notes(names, choice.data, place=notes)
