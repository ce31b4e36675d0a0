"""The linked maps of Explore: what they show of each sample, and what Python selects in them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from relviz.core.reductions.principal import varies
from relviz.data.catalogue import load_dataset
from relviz.data.dataset import DataSet
from relviz.plots.palette import MODEL_A, MODEL_B
from relviz.requests import Explain, Maps
from relviz.ui.explore.explain import show_explanation
from relviz.ui.explore.export import offer_tables
from relviz.ui.explore.space import show_in_space
from relviz.ui.following import catch_up
from relviz.ui.linked_map import Classes, Column, MapState, Morph, Numbers, Pictures, Selection, Texts, View, linked_map
from relviz.usecases.explain import Reading
from relviz.usecases.maps import FourMaps, Map

TITLES = {
    "absolute_a": "Absolute A",
    "absolute_b": "Absolute B",
    "relative_a": "Relative A",
    "relative_b": "Relative B",
}
CARD = ["native prediction", "stitched prediction", "local agreement", "text"]
_STATE = "selected samples"
_WORST = 100  # samples that a button selects by their agreement
_PICTURE = 64  # pixels of a thumbnail's longer side, about


@dataclass(frozen=True)
class Scene:
    """What the maps show.

    Attributes
    ----------
    reading: None while it is being computed.
    k: neighbours of an explanation.
    """

    asked: Maps
    maps: FourMaps
    reading: Reading | None
    k: int

    @property
    def data(self) -> DataSet:
        """The data set."""
        return load_dataset(self.asked.data)


@dataclass
class _Marked:
    """A visitor's selection, kept while maps come and go.

    Attributes
    ----------
    of: fingerprint of the data set.
    turn: how often Python has set it.
    """

    of: str
    rows: NDArray[np.bool_]
    turn: int = 1


@st.fragment
def show_scene(scene: Scene) -> None:
    """The maps with what belongs to them; a selection or a click runs only this again."""
    catch_up()
    marked = _marked(scene.data)
    place = st.container()
    tools = st.container(horizontal=True, vertical_alignment="center", key="map-tools")
    below = st.container()
    with tools:
        _select(scene, marked)
    with place:
        views, columns = _views(scene), list(_columns(scene))
        done = _draw(scene, views, columns, Selection(marked.rows, marked.turn))
    marked.rows = done.selected
    with tools:
        name = f"{scene.asked.a}-{scene.asked.b}"
        offer_tables(views, columns, ids=held_out_ids(scene.data), selected=done.selected, name=name)
        in_space = st.toggle("3-D", key="in-space", help="The maps in three dimensions, below.")
    if in_space:
        with below:
            show_in_space(scene.asked, TITLES, done.selected)
    if done.clicked is not None:
        with below:
            asked = scene.asked
            show_explanation(Explain(asked.a, asked.b, asked.data, asked.anchors, done.clicked, scene.k))


def _draw(scene: Scene, views: list[View], columns: list[Column], selection: Selection) -> MapState:
    """The element itself."""
    return linked_map(
        views,
        ids=held_out_ids(scene.data),
        columns=columns,
        colour=columns[0].name,
        key="maps",
        height=575,
        card=CARD,
        pictures=_pictures(scene.data),
        selection=selection,
        morph=Morph([(0, 2), (1, 3)], ("absolute", "relative")),
        overlay=(2, 3),
    )


def held_out_ids(data: DataSet) -> NDArray[np.integer] | tuple[str, ...]:
    """The ids of what is mapped; row numbers as numbers, which travel lighter."""
    ids = data.ids[data.held_out]
    numbered = ids[0] == str(data.gallery_size) and ids[-1] == str(len(data) - 1)
    return np.arange(data.gallery_size, len(data)) if numbered else ids


def _views(scene: Scene) -> list[View]:
    return [_view(name, getattr(scene.maps, name), scene.asked) for name in TITLES]


def _view(name: str, one: Map, asked: Maps) -> View:
    of_a = name.endswith("a")
    kept = f"keeps {one.kept:.2f} (chance {one.chance:.3f})"
    return View(
        title=f"{TITLES[name]} · {asked.a if of_a else asked.b}",
        badge=kept if varies(one.view) else "does not vary",
        coordinates=one.view.numpy(),
        hue=MODEL_A if of_a else MODEL_B,
        frame="relative" if name.startswith("relative") else name,
        anchors=one.anchors.numpy(),
    )


def _columns(scene: Scene) -> Iterator[Column]:
    """What is known of each sample; the first colours the maps at first."""
    data, reading = scene.data, scene.reading
    if data.labels is not None:
        yield Classes("class", data.labels[data.held_out], data.class_names)
    if reading is not None and reading.predictions is not None:
        right = right_when_stitched(data, reading)
        yield Classes("native prediction", reading.predictions.native.numpy(), data.class_names)
        yield Classes("stitched prediction", reading.predictions.stitched.numpy(), data.class_names)
        yield Classes("right when stitched", right.astype(np.uint16), ("wrong", "right"))
    for name, title in TITLES.items():
        yield Numbers(f"kept in {title[0].lower()}{title[1:]}", getattr(scene.maps, name).each.numpy())
    if reading is not None:
        yield Numbers("local agreement", reading.agreement.numpy())
        yield Numbers("distance to nearest anchor in A", reading.distance_a.numpy())
        yield Numbers("distance to nearest anchor in B", reading.distance_b.numpy())
    if isinstance(data.samples, tuple):
        yield Texts("text", [textwrap.shorten(text, 300, placeholder=" …") for text in data.samples[data.held_out]])


def right_when_stitched(data: DataSet, reading: Reading) -> NDArray[np.bool_]:
    """Which held-out samples B's head names rightly when it reads A's encoder; there must be predictions."""
    if reading.predictions is None or data.labels is None:
        raise ValueError("there are no predictions")
    right: NDArray[np.bool_] = reading.predictions.stitched.numpy() == data.labels[data.held_out]
    return right


def _pictures(data: DataSet) -> Pictures | None:
    if data.modality != "image":
        return None
    step = -(-max(data.images.shape[1:3]) // _PICTURE)
    return Pictures(data.images[data.held_out, ::step, ::step], data.fingerprint)


def _marked(data: DataSet) -> _Marked:
    """This visitor's selection among the held-out rows of a data set, empty at first."""
    found: _Marked | None = st.session_state.get(_STATE)
    if found is None or found.of != data.fingerprint:
        nothing = np.zeros(len(data) - data.gallery_size, bool)
        found = _Marked(data.fingerprint, nothing, 1 if found is None else found.turn + 1)
        st.session_state[_STATE] = found
    return found


def select_samples(data: DataSet, rows: NDArray[np.bool_]) -> None:
    """Make these held-out rows of a data set this visitor's selection in the maps."""
    marked = _marked(data)
    marked.rows, marked.turn = rows, marked.turn + 1


def _select(scene: Scene, marked: _Marked) -> None:
    """Buttons that select samples by what is known of them."""
    reading = scene.reading
    if reading is None:
        return
    offers = {}
    if reading.predictions is not None:
        wrong = ~right_when_stitched(scene.data, reading)
        offers[f"Select {wrong.sum():,} wrong when stitched"] = wrong
    worst = np.zeros(len(marked.rows), bool)
    worst[np.argsort(reading.agreement.numpy(), kind="stable")[:_WORST]] = True
    offers[f"Select {worst.sum():,} with the least agreement"] = worst
    for label, rows in offers.items():
        if st.button(label, type="tertiary", key=f"select-{label.split()[-1]}"):
            select_samples(scene.data, rows)
