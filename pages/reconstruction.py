"""Reconstruction: one autoencoder encodes, another decodes; a code changed by hand; latent vectors scaled."""

import streamlit as st

from relviz.models.catalogue import find, names_for
from relviz.ui.controls import chosen
from relviz.ui.notes import show_notes
from relviz.ui.reconstruction.equaliser import show_equaliser
from relviz.ui.reconstruction.pictures import show_pictures
from relviz.ui.reconstruction.scale import show_scale

PICTURES, EQUALISER, SCALE = "Pictures", "Anchor equaliser", "Scale"

choice = chosen()
notes = st.container(key="notes")
decoders = [name for name in names_for(choice.dataset) if find(name).decodes]
part = st.segmented_control(
    "Show",
    [PICTURES, EQUALISER, SCALE],
    default=PICTURES,
    required=True,
    key="part",
    bind="query-params",
)
if part == SCALE:
    show_scale(choice)
elif not decoders:
    st.info(f"No autoencoder of the shelf reads '{choice.data}'. Choose fashion-mnist, or train one with relviz train.")
elif part == EQUALISER:
    show_equaliser(choice, decoders)
elif choice.b in decoders:
    show_pictures(choice)
else:
    st.info(f"'{choice.b}' has no decoder. Choose an autoencoder as model B: {', '.join(decoders)}.")
show_notes((choice.a, choice.b), choice.data, place=notes)
