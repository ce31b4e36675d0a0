"""Pairs: one thing in two data sets, such as a sentence in two languages; who finds its partner?"""

import pandas as pd
import streamlit as st

from relviz.data.catalogue import load_dataset
from relviz.errors import BadFile
from relviz.models.catalogue import names_for
from relviz.plots.boards import plot_board
from relviz.plots.pairs import board_cell, board_sentence, plot_ways, ways_sentence
from relviz.requests import DEFAULT_WAYS, PairBoard, Pairs
from relviz.shelf_file import paired_sets
from relviz.ui.asking import Question
from relviz.ui.controls import Choice, chosen
from relviz.ui.layout import draw
from relviz.ui.messages import refuse, show_error
from relviz.ui.notes import show_notes
from relviz.usecases.paired import WAYS, Retrieval, RetrievalBoard

HOW = """No data set of the shelf has a partner. Name data sets of the same items (a sentence in several languages, an
image and its caption) in `relviz.toml`; samples belong together by their ids, or line by line where they have none:

```toml
[data.sentences-en]
path = "sentences-en.csv"

[data.sentences-de]
path = "sentences-de.csv"

[paired]
sentences = ["sentences-en", "sentences-de"]
```"""


def choose_partner(choice: Choice, groups: dict[str, tuple[str, ...]]) -> tuple[str, str, tuple[str, ...]] | None:
    """The partner of the data set, the model that reads it, and the whole group; None when the data has no partner."""
    partners = {
        other: sets for sets in groups.values() if choice.data in sets for other in sets if other != choice.data
    }
    if not partners:
        known = ", ".join(f"'{name}'" for sets in groups.values() for name in sets)
        st.info(f"'{choice.data}' has no partner. Choose one of {known} as the data set." if groups else HOW)
        return None
    left, right = st.columns(2)
    partner = left.selectbox(
        "Partner data set", list(partners), key="partner", bind="query-params", help="Data set B, of the same items."
    )
    names = names_for(load_dataset(partner))
    if not names:
        st.info(f"No model of the shelf reads '{partner}'. Add one with 'relviz add'.")
        return None
    reader = right.selectbox(
        "Its encoder",
        names,
        index=names.index(choice.b) if choice.b in names else 0,
        key="reader",
        bind="query-params",
        help="The model that reads data set B; model B of the sidebar where that can.",
    )
    return partner, reader, partners[partner]


def show(found: Retrieval, choice: Choice, partner: str, reader: str) -> None:
    there, back = f"{choice.data} to {partner}", f"{partner} to {choice.data}"
    draw(
        plot_ways(found, there=there, back=back, height=430),
        key="ways",
        alt=f"Mean reciprocal rank of partners between {choice.data} by {choice.a} and {partner} by {reader}",
    )
    with st.expander("Table"):
        st.dataframe(
            pd.DataFrame(
                {"direction": direction, **vars(one)}
                for direction, ways in ((there, found.there), (back, found.back))
                for one in ways
            ),
            hide_index=True,
        )
    lonely = f"; {found.unpaired[0]:,} and {found.unpaired[1]:,} samples are in no pair" if any(found.unpaired) else ""
    st.caption(f"Anchors come from {found.gallery:,} pairs of both galleries{lonely}.")


def board(found: RetrievalBoard, choice: Choice, reader: str, way: str) -> None:
    st.markdown(board_sentence(found.cells, found.sets))
    figure = plot_board(
        found.sets,
        found.sets,
        [[board_cell(one, f"{a} to {b}") for one, b in zip(row, found.sets, strict=True)]
         for row, a in zip(found.cells, found.sets, strict=True)],
        title=f"Mean reciprocal rank by {way}",
        row_title=f"from, read by {choice.a}",
        column_title=f"to, read by {reader}",
        low=0,
        high=1,
        height=430,
    )  # fmt: skip
    draw(figure, key="board", alt=f"Mean reciprocal rank between {len(found.sets)} data sets by {way}")


choice = chosen()
with refuse():
    listed = paired_sets()
    for problem in listed.values():
        if isinstance(problem, BadFile):
            show_error(problem)
    picked = choose_partner(choice, {name: sets for name, sets in listed.items() if not isinstance(sets, BadFile)})
    if picked is not None:
        partner, reader, sets = picked
        notes, answer = st.container(key="notes"), st.empty()
        left, right = st.columns([5, 4])
        with right:
            way = st.selectbox(
                "Way between all sets", list(WAYS), index=list(WAYS).index("relative"), key="way", bind="query-params"
            )
        with left:
            ways = Question("ways", Pairs(choice.a, reader, choice.data, partner, choice.anchors, DEFAULT_WAYS))
        with right:
            between = Question("between", PairBoard(choice.a, reader, sets, choice.anchors, way))
        found, cells = ways.answer(), between.answer()
        if found is None:
            answer.empty()
        else:
            answer.markdown(ways_sentence(found, choice.anchors.count))
            with ways.place():
                show(found, choice, partner, reader)
        if cells is not None:
            with between.place():
                board(cells, choice, reader, way)
        show_notes((choice.a,), choice.data, place=notes)
        show_notes((reader,), partner, place=notes, name="partner's notes")
        with st.expander("What is measured"):
            st.markdown(
                "Each held-out sample of one set looks for its partner among those of the other, by cosine. The mean "
                "reciprocal rank is 1 when every partner comes first. *absolute* compares the vectors as they are, "
                "*relative* by their similarities to parallel anchors, the others translate one space to the other by "
                "those anchors, *control* is *relative* with the anchors shuffled on one side. *own* in the table is "
                "the MRR of B among itself, below 1 where samples are alike. Where both sides have the same "
                "labels, B's head also reads A's encoder."
            )
