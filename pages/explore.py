"""Explore: four maps of one pair of models."""

import streamlit as st

from relviz.plots.maps import plot_four_maps
from relviz.plots.words import pair_sentence
from relviz.service.maps import FourMaps
from relviz.service.requests import Compare, Maps, Stitch
from relviz.ui.asking import Question
from relviz.ui.controls import Choice, chosen
from relviz.ui.layout import draw


def show(maps: FourMaps, choice: Choice, reduction: str) -> None:
    data = choice.dataset
    figure = plot_four_maps(
        maps,
        a=choice.a,
        b=choice.b,
        labels=data.labels[data.held_out],
        class_names=data.class_names,
        first_row=data.gallery_size,
        height=575,
    )
    names = ("absolute_a", "absolute_b", "relative_a", "relative_b")
    kept = ", ".join(f"{name} {getattr(maps, name).kept:.2f}" for name in names)
    draw(figure, key="maps", alt=f"Four {reduction} maps of {choice.a} and {choice.b}; neighbours kept: {kept}")
    rows = len(data) - data.gallery_size
    st.caption(
        f"{reduction}, {rows:,} held-out samples. Both relative maps come from one fit, so equal places mean alike "
        "relative vectors. Distances between clusters mean nothing on a UMAP map."
    )


choice = chosen()
pair, rest = (choice.a, choice.b), (choice.data, choice.anchors)
answer, picture = st.container(key="answer"), st.container(key="picture")
with picture:  # asked first: it is the first thing a visitor should see
    pca = Question("pca", Maps(*pair, *rest, "pca"))
with answer:
    comparison = Question("compare", Compare(*pair, *rest, choice.k, measures=("jaccard",)))
    stitched = Question("stitch", Stitch(tuple(dict.fromkeys(pair)), *rest))
with picture:
    umap = Question("umap", Maps(*pair, *rest, "umap"))

first = pca.answer(patience=0.8)
better = umap.answer(patience=0)
if better or first:
    with pca.place():
        show(better or first, choice, "UMAP" if better else "PCA")
measured, cells = comparison.answer(), stitched.answer()
if measured is not None and cells is not None:
    with comparison.place():
        st.markdown(pair_sentence(measured, cells, *pair, choice.anchors.count))
