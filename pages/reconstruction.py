"""Reconstruction: one autoencoder encodes, another decodes."""

import numpy as np
import streamlit as st
from torch import Tensor

from relviz.models.catalogue import find, names_for
from relviz.plots.words import rebuilt_words, reconstruction_sentence
from relviz.service.reconstruction import Reconstruction
from relviz.service.requests import Reconstruct
from relviz.ui.asking import Question
from relviz.ui.controls import chosen

SCALE = 3  # screen pixels for each of a picture


def strip(pictures: Tensor, alt: str) -> None:
    row = np.concatenate(list(pictures.clamp(0, 1).numpy()), axis=1).repeat(SCALE, 0).repeat(SCALE, 1)
    st.image((255 * row).round().astype(np.uint8), width="content", alt=alt)


def show(found: Reconstruction) -> None:
    st.markdown(reconstruction_sentence(found))
    rows = [("original", found.originals)] + [(rebuilt_words(r), r.pictures) for r in found.rebuilt]
    for words, pictures in rows:
        left, right = st.columns([2, 5], vertical_alignment="center")
        left.markdown(words)
        with right:
            if pictures is not None:
                strip(pictures, f"The first held-out samples, {words}")


choice = chosen()
decoders = [name for name in names_for(choice.dataset) if find(name).decodes]
if {choice.a, choice.b} <= set(decoders):
    question = Question("rebuilt", Reconstruct(choice.a, choice.b, choice.data, choice.anchors))
    answer = question.answer()
    if answer is not None:
        with question.place():
            show(answer)
elif decoders:
    st.info(f"Choose two autoencoders as models A and B: {', '.join(decoders)}.")
else:
    st.info(f"No autoencoder of the shelf reads '{choice.data}'. Choose fashion-mnist, or train one with relviz train.")
