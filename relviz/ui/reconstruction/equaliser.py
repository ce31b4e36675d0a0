"""The anchor equaliser: similarities of one sample as sliders, and the picture that the decoder makes of them."""

from __future__ import annotations

import html
import math

import streamlit as st
from torch import Tensor

from relviz.models.catalogue import find
from relviz.plots.words import equaliser_sentence
from relviz.requests import Change, Equalise
from relviz.ui.asking import Question
from relviz.ui.controls import Choice
from relviz.ui.limits import keep_within
from relviz.ui.reconstruction.pictures import address
from relviz.usecases.equaliser import Equalised, why_no_equaliser

_STYLE = """<style>
.relviz-equaliser { display: flex; flex-wrap: wrap; gap: 14px; }
.relviz-equaliser figure { margin: 0; font-size: 13px; text-align: center; }
.relviz-equaliser img { width: 112px; height: 112px; image-rendering: pixelated; display: block; margin: 0 auto 2px; }
.relviz-equaliser.small img { width: 44px; height: 44px; margin: 0; }
</style>"""
_COLUMNS = 4


def show_equaliser(choice: Choice, decoders: list[str]) -> None:
    """Asks for a sample's code in model B, offers sliders, and asks for the picture of what they say."""
    reason = why_no_equaliser(find(choice.b))
    if reason is not None:
        fitting = [name for name in decoders if why_no_equaliser(find(name)) is None]
        st.info(f"{reason} Choose as model B: {', '.join(fitting) or 'one trained with relviz train fmnist-relae-s0'}.")
        return
    last = len(choice.dataset) - choice.dataset.gallery_size - 1
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    keep_within("row", 0, last)
    row = left.number_input(
        "Held-out sample", 0, last, 0, key="row", bind="query-params", help="Which sample's code is taken."
    )
    asked = Equalise(choice.b, choice.data, int(row))
    answer = Question("code", asked)
    found = answer.answer(patience=1.0)
    if found is None:
        return
    names = {anchor: f"similarity {choice.b} {choice.data} {row} {anchor}" for anchor in found.nearest.tolist()}
    right.button("Reset", on_click=_reset, args=(found, names), help="Give every anchor its own similarity again.")
    pictures, sliders = st.container(), st.container()
    with sliders:
        changes = _sliders(found, names)
    with pictures:
        question = Question("changed", Equalise(choice.b, choice.data, int(row), changes)) if changes else answer
        changed = question.answer(patience=1.0)
        if changed is not None:
            with question.place():
                _draw(choice.b, changed, changes)
    st.caption(
        f"The {len(names)} nearest of the model's own {len(found.own)} anchors, which are images it was trained with; "
        "those of the sidebar are not used here. A slider is one coordinate of the code: the similarity to that anchor "
        "in standard deviations of the sample's similarities, as the network's layer norm gives it, within the range "
        "of the held-out samples. Difference: lighter where the picture gained, darker where it lost."
    )


def _reset(found: Equalised, names: dict[int, str]) -> None:
    for anchor, name in names.items():
        st.session_state[name] = _own(found, anchor)


def _own(found: Equalised, anchor: int) -> float:
    return round(float(found.own[anchor]), 2)


def _sliders(found: Equalised, names: dict[int, str]) -> tuple[Change, ...]:
    """One for each near anchor; what was not moved is no change, so that rounding changes nothing."""
    changes = []
    columns = [column for _ in range(0, len(names), _COLUMNS) for column in st.columns(_COLUMNS)]
    for column, picture, (anchor, name) in zip(columns, found.anchors, names.items(), strict=False):
        low, high = math.floor(10 * found.low[anchor]) / 10, math.ceil(10 * found.high[anchor]) / 10
        st.session_state.setdefault(name, _own(found, anchor))
        with column.container(horizontal=True, vertical_alignment="center"):
            _figures([(picture, "", f"anchor {anchor}")], small=True)
            chosen = st.slider(f"Anchor {anchor}", low, high, step=0.01, key=name, help="Similarity to it.")
        if chosen != _own(found, anchor):
            changes.append(Change(anchor, chosen))
    return tuple(changes)


def _draw(model: str, found: Equalised, changes: tuple[Change, ...]) -> None:
    st.markdown(equaliser_sentence(model, found, len(changes)))
    sample, own, changed = found.pictures
    _figures(
        [
            (sample, "sample", "the sample"),
            (own, "decoded", "what the decoder makes of the sample's own code"),
            (changed, "decoded, changed", "what the decoder makes of the changed code"),
            (0.5 + (changed - own) / 2, "difference", "the change, grey where there is none"),
        ]
    )


def _figures(shown: list[tuple[Tensor, str, str]], *, small: bool = False) -> None:
    figures = "".join(
        f'<figure><img src="{address(picture[None])}" alt="{html.escape(alt)}">'
        f"<figcaption>{words}</figcaption></figure>"
        for picture, words, alt in shown
    )
    markup = f'{_STYLE}<div class="relviz-equaliser{" small" if small else ""}">{figures}</div>'
    st.html(markup, width="content" if small else "stretch")
