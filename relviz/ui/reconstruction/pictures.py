"""One autoencoder encodes, another decodes: the pictures with their errors, way by way."""

from __future__ import annotations

import base64
import html

import streamlit as st
from torch import Tensor

from relviz.core.stitching import METHODS
from relviz.models.catalogue import find
from relviz.plots.pictures import png, side_by_side
from relviz.plots.words import counterparts_sentence, reconstruction_sentence
from relviz.requests import DEFAULT_RECONSTRUCTIONS, Reconstruct
from relviz.ui.asking import Question
from relviz.ui.controls import Choice
from relviz.usecases.reconstruction import Rebuilt, Reconstruction, counterparts

_STYLE = """<style>
.relviz-rebuilt { overflow-x: auto; }
.relviz-rebuilt table { border-collapse: collapse; font-size: 14px; }
.relviz-rebuilt th { font-weight: normal; text-align: left; min-width: 7rem; padding-right: .8rem; }
.relviz-rebuilt thead th { opacity: .7; }
.relviz-rebuilt td { padding: 2px 0; }
.relviz-rebuilt .n { text-align: right; min-width: 4.2rem; white-space: nowrap; padding: 2px 0 2px .6rem; }
.relviz-rebuilt .group th { padding-top: 6px; opacity: .7; }
.relviz-rebuilt img { height: 46px; max-width: none; image-rendering: pixelated; display: block; }
</style>"""
_HEAD = '<tr><th></th><th></th><th class="n">MSE</th><th class="n">PSNR, dB</th><th class="n">SSIM</th></tr>'


def show_pictures(choice: Choice) -> None:
    """Asks for the reconstructions and draws them."""
    asked = Reconstruct(choice.a, choice.b, choice.data, choice.anchors)
    question, others = Question("rebuilt", asked), _counterparts(choice)
    found = question.answer()
    beside = others.answer() if others is not None else None
    if found is None:
        return
    with question.place():
        sentences = [reconstruction_sentence(found), *([counterparts_sentence(beside)] if beside else [])]
        st.markdown(" ".join(sentences))
        st.html(f'{_STYLE}<div class="relviz-rebuilt">{_table(found, beside)}</div>')
        st.caption(
            f"MSE per pixel, PSNR and SSIM are means over {found.n:,} held-out samples, the first of which are shown; "
            f"giving the gallery's mean image every time has an MSE of {found.blind:.4f}."
        )
        with st.expander("How it is done"):
            for name in DEFAULT_RECONSTRUCTIONS:
                st.markdown(f"**{METHODS[name].label}**: {METHODS[name].summary}. Source: {METHODS[name].source}.")


def _counterparts(choice: Choice) -> Question | None:
    """The same pair with a relative layer, or without, so that both kinds of stitching stand side by side."""
    if find(choice.a).relative != find(choice.b).relative:
        return None
    pair = counterparts(choice.a, choice.b)
    if pair is None:
        return None
    return Question("counterparts", Reconstruct(pair[0], pair[1], choice.data, choice.anchors, ("absolute",)))


def _table(found: Reconstruction, beside: Reconstruction | None) -> str:
    rows = [_group(found), _row("original", found.originals, "the samples"), *map(_rebuilt, found.rebuilt)]
    if beside is not None:
        rows += [_group(beside), *map(_rebuilt, beside.rebuilt)]
    return f"<table><thead>{_HEAD}</thead><tbody>{''.join(rows)}</tbody></table>"


def _group(found: Reconstruction) -> str:
    words = f"encoder {found.encoder}, decoder {found.decoder}"
    return f'<tr class="group"><th colspan="5" scope="rowgroup">{html.escape(words)}</th></tr>'


def _rebuilt(found: Rebuilt) -> str:
    if found.pictures is None:
        reason = html.escape(str(found.undefined))
        return f'<tr><th scope="row">{html.escape(found.label)}</th><td colspan="4">{reason}</td></tr>'
    figures = _number(found.error, 4) + _number(found.psnr, 1) + _number(found.ssim, 3)
    return _row(found.label, found.pictures, f"decoded, {found.label}", figures)


def _row(label: str, pictures: Tensor, alt: str, figures: str = "") -> str:
    return (
        f'<tr><th scope="row">{html.escape(label)}</th>'
        f'<td><img src="{address(pictures)}" alt="{html.escape(alt)}"></td>{figures}</tr>'
    )


def _number(value: float | None, digits: int) -> str:
    text, whole = (
        ("–", "undefined: images this small have no SSIM") if value is None else (f"{value:.{digits}f}", value)
    )
    return f'<td class="n" title="{whole}">{text}</td>'


def address(pictures: Tensor) -> str:
    """Pictures `m x s x s` side by side, as an address that holds them."""
    return f"data:image/png;base64,{base64.b64encode(png(side_by_side(pictures))).decode()}"
