"""One sample explained: its neighbours in either model and its relation to the anchors."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st

from relviz.core.projections import PROJECTIONS
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.plots.profile import plot_profile
from relviz.requests import Explain
from relviz.ui.asking import Question
from relviz.ui.layout import draw
from relviz.usecases.explain import Explanation, Neighbour

_MOST = 20  # neighbours of each kind that are drawn
_LONGEST = 1000  # characters of the explained sample's text
_BARS = 12  # anchors that are drawn
_STRIP = """<style>
.relviz-strip { display: flex; flex-wrap: wrap; gap: 6px; }
.relviz-strip figure { margin: 0; font-size: 11px; line-height: 1.3; text-align: center; max-width: 12rem; }
.relviz-strip img { width: 44px; height: 44px; object-fit: contain; image-rendering: pixelated; display: block; }
.relviz-strip img { margin: 0 auto; }
</style>"""


def show_explanation(asked: Explain) -> None:
    """Asks for the explanation and draws it."""
    question = Question("explain", asked)
    found = question.answer(patience=1.0)
    if found is not None:
        with question.place():
            _draw(asked, found)


def _draw(asked: Explain, found: Explanation) -> None:
    data = load_dataset(asked.data)
    row = data.gallery_size + asked.row
    st.markdown(
        f"**Sample {data.ids[row]}**{_class_of(data, row)}: of its {asked.k} nearest in A, B keeps "
        f"**{len(found.kept)}**. Ranks are exact, by cosine, among the held-out samples of each absolute space."
    )
    _show_sample(data, row)
    left, right = st.columns([5, 4])
    with left:
        kinds = {
            "Kept: near in A and in B": found.kept,
            "Lost: near in A only": found.lost,
            "Gained: near in B only": found.gained,
        }
        for title, neighbours in kinds.items():
            _strip(data, title, neighbours)
    with right:
        _profile(data, asked, found)


def _show_sample(data: DataSet, row: int) -> None:
    """The sample itself, where it can be seen or read."""
    what = picture_of(data, row)
    if what is not None:
        st.html(f'{_STRIP}<div class="relviz-strip"><img src="{what}" alt="sample {html.escape(data.ids[row])}"></div>')
    elif isinstance(data.samples, tuple):
        st.html(f"<blockquote>{html.escape(data.samples[row][:_LONGEST])}</blockquote>")


def _strip(data: DataSet, title: str, neighbours: Sequence[Neighbour]) -> None:
    more = f", the nearest {_MOST} of them" if len(neighbours) > _MOST else ""
    st.caption(f"{title} ({len(neighbours)}{more})")
    figures = [_figure(data, neighbour) for neighbour in neighbours[:_MOST]]
    if figures:
        st.html(f'{_STRIP}<div class="relviz-strip">{"".join(figures)}</div>')


def _figure(data: DataSet, neighbour: Neighbour) -> str:
    row = data.gallery_size + neighbour.row
    words = f"sample {data.ids[row]}{_class_of(data, row)}"
    likeness = f"cosine {neighbour.similarity_a:.3f} in A, {neighbour.similarity_b:.3f} in B"
    what = picture_of(data, row)
    if what is None:
        shown = html.escape(words if not isinstance(data.samples, tuple) else data.samples[row][:80])
    else:
        shown = f'<img src="{what}" alt="{html.escape(words)}">'
    return (
        f'<figure title="{html.escape(f"{words}; {likeness}")}">{shown}'
        f"<figcaption>A {neighbour.rank_a} · B {neighbour.rank_b}</figcaption></figure>"
    )


def _profile(data: DataSet, asked: Explain, found: Explanation) -> None:
    entry = PROJECTIONS[asked.anchors.projection]
    a, b = found.profile_a.numpy(), found.profile_b.numpy()
    top = _nearest(a, b, similarity=entry.similarity)
    rows = found.anchors.numpy()[top]
    figure = plot_profile(
        a[top],
        b[top],
        names=[f"{data.ids[row]}{_class_of(data, row)}" for row in rows],
        pictures=[picture_of(data, row) for row in rows],
        title=f"{entry.label} to the {len(top)} nearest of {len(a)} anchors",
        height=330,
    )
    draw(figure, key="profile", alt=f"{entry.label} of the sample to its {len(top)} nearest anchors in A and in B")


def _nearest(a: np.ndarray, b: np.ndarray, *, similarity: bool) -> np.ndarray:
    """The anchors nearest in A or in B, those with the best rank in either first."""
    sign = -1 if similarity else 1
    ranks = [np.argsort(np.argsort(sign * profile, kind="stable")) for profile in (a, b)]
    return np.argsort(np.minimum(*ranks) + np.maximum(*ranks) / (len(a) + 1), kind="stable")[:_BARS]


def _class_of(data: DataSet, row: int) -> str:
    return "" if data.labels is None else f", {data.class_names[data.labels[row]]}"


def picture_of(data: DataSet, row: int) -> str | None:
    """A sample's image as an address that holds it; None of other samples."""
    if data.modality != "image":
        return None
    from PIL import Image

    drawn = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(data.images[row])).save(drawn, "PNG")
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"
