"""Explore: four maps of one pair of models."""

import streamlit as st

from relviz import settings
from relviz.core.reductions import PLACED_BY, REDUCTIONS
from relviz.data.catalogue import load_dataset
from relviz.plots.words import pair_sentence
from relviz.requests import Compare, Maps, Readings, Stitch
from relviz.ui.asking import Question
from relviz.ui.controls import chosen
from relviz.ui.explore.layout import choose_layout
from relviz.ui.explore.maps import Scene, show_scene
from relviz.ui.notes import show_notes
from relviz.usecases.maps import FourMaps


def show(asked: Maps, maps: FourMaps) -> None:
    show_scene(Scene(asked, maps, reading, choice.k))
    data, reduction = load_dataset(asked.data), REDUCTIONS[asked.reduction]
    rows = len(data) - data.gallery_size
    nearest = min(settings.MAP_NEIGHBOURS, rows - 1)
    where = "" if asked.reduction == "pca" else f", each at the mean place of its {PLACED_BY} nearest samples"
    st.caption(
        f"{reduction.label}, {rows:,} held-out samples. Diamonds are anchors, gallery samples{where}. Each map keeps "
        f"that share of the {nearest} true neighbours. Both relative maps come from one fit, so equal "
        "places mean alike relative vectors. Distances between clusters mean nothing, save on a PCA map. Click a "
        f"sample to have it explained. {reduction.label}: {reduction.summary}."
    )


choice = chosen()
reduction, layout = choose_layout(choice.dataset)
pair, rest = (choice.a, choice.b), (choice.data, choice.anchors)
notes, answer, picture = st.container(key="notes"), st.container(key="answer"), st.container(key="picture")
in_pca, refined = Maps(*pair, *rest), Maps(*pair, *rest, reduction, layout)
with picture:  # asked first: it is the first thing a visitor should see
    pca = Question("pca", in_pca)
with answer:
    comparison = Question("compare", Compare(*pair, *rest, choice.k, measures=("jaccard",)))
    stitched = Question("stitch", Stitch(tuple(dict.fromkeys(pair)), *rest))
with picture:
    readings = Question("readings", Readings(*pair, *rest, k=choice.k))
    better = Question("refined", refined) if reduction != "pca" else None

first = pca.answer(patience=0.8)
second = better and better.answer(patience=0)
reading = readings.answer(patience=0)
shown = second or first
if shown:
    with pca.place():
        show(refined if second else in_pca, shown)
measured, cells = comparison.answer(), stitched.answer()
if measured is not None and cells is not None:
    with comparison.place():
        st.markdown(pair_sentence(measured, cells, *pair, choice.anchors.count, still=shown.still if shown else ()))
show_notes(pair, choice.data, place=notes)
