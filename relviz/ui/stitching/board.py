"""The board of Stitching: every encoder with every head, over several anchor sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from relviz.plots.boards import Cell, plot_board
from relviz.plots.words import stitch_sentence
from relviz.requests import Request
from relviz.ui.layout import draw
from relviz.usecases.stitching import METRICS, SeededCell, Spread, over_seeds


def show_board(
    answers: Mapping[Request, Any],
    *,
    kinds: Mapping[str, Sequence[str]],
    method: str,
    metric: str,
    sentence: DeltaGenerator,
) -> None:
    """The sentence and the heat map of the boards that are there.

    Parameters
    ----------
    answers: boards that differ in the anchors' seed.
    kinds: names of the models, alike ones together, as `relviz.usecases.stitching.groups` gives them.
    """
    if not answers:
        sentence.empty()
        return
    cells = over_seeds(answers.values(), metric)
    sentence.markdown(stitch_sentence(cells, method, metric))
    names = [name for group in kinds.values() for name in group]
    kind_of = {name: kind for kind, group in kinds.items() for name in group}
    at = {(cell.encoder, cell.head): cell for cell in cells}
    rows = [[at[encoder, head] for head in names] for encoder in names]
    what = METRICS[metric]
    over = f", mean and range of {len(answers)} anchor sets" if len(answers) > 1 else ""
    figure = plot_board(
        names,
        names,
        [[_cell(found, kind_of) for found in row] for row in rows],
        title=f"Stitched {what}{over}",
        row_title="encoder",
        column_title="head",
        low=0,
        high=1,
        height=430,
        notes=[[_range(found.stitched) for found in row] for row in rows],
        gaps=[place for place in range(1, len(names)) if kind_of[names[place]] != kind_of[names[place - 1]]],
    )
    draw(figure, key="board", alt=f"Stitched {what} of {len(names)} encoders with {len(names)} heads by {method}")


def show_table(answers: Mapping[Request, Any], *, metric: str) -> None:
    """The cells of boards that differ in the anchors' seed."""
    if answers:
        st.dataframe(pd.DataFrame(cell.row() for cell in over_seeds(answers.values(), metric)), hide_index=True)


def _cell(found: SeededCell, kind_of: Mapping[str, str]) -> Cell:
    pair = f"encoder {found.encoder} ({kind_of[found.encoder]}), head {found.head} ({kind_of[found.head]})"
    if found.stitched is None or found.native is None:
        return None, f"{pair}: undefined, {found.undefined}"
    return found.stitched.mean, (
        f"{pair}: {_words(found.stitched, found.seeds)}, native {_words(found.native, found.seeds)}, "
        f"chance {found.chance:.4f}, n = {found.n}"
    )


def _words(spread: Spread, seeds: int) -> str:
    if spread.low == spread.high and seeds == 1:
        return f"{spread.mean:.4f}"
    over = f" over {seeds}" if seeds > 1 else ""
    return f"{spread.mean:.4f} ({spread.low:.4f} to {spread.high:.4f}{over})"


def _range(spread: Spread | None) -> str:
    """Lowest and highest, where they differ in what is shown."""
    if spread is None or f"{spread.low:.2f}" == f"{spread.high:.2f}":
        return ""
    return f"{spread.low:.2f}–{spread.high:.2f}".replace("0.", ".")
