"""The controls in the sidebar, in the order of the question: data, A, B, anchors, similarity."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from relviz import settings
from relviz.core.anchors import STRATEGIES
from relviz.core.projections import PROJECTIONS
from relviz.data.catalogue import DATASETS, load_dataset
from relviz.data.dataset import DataSet
from relviz.encoding.spaces import usual_strategy
from relviz.errors import BadChoice, RelvizError
from relviz.models.catalogue import offered, why_not_offered
from relviz.models.model import Model
from relviz.requests import Anchors
from relviz.shelf_file import data_entries
from relviz.ui.following import see_shelf
from relviz.ui.limits import whole_number
from relviz.ui.messages import refuse
from relviz.ui.text import plain, public

_STATE = "choice"
_LONG = 22  # characters that fit into a box
_MOST_NEIGHBOURS = 100  # that measures are asked to look at


@dataclass(frozen=True)
class Choice:
    """What the visitor asks about: one pair of models, a data set and an anchor set."""

    a: str
    b: str
    data: str
    anchors: Anchors
    k: int

    @property
    def dataset(self) -> DataSet:
        """The chosen data set."""
        return load_dataset(self.data)


def choose() -> None:
    """Draw the controls and remember the choice for `chosen`."""
    choice = None
    with st.sidebar, refuse():
        choice = _controls()
    st.session_state[_STATE] = choice  # at once: a run that is interrupted leaves the former choice whole


def chosen() -> Choice:
    """The visitor's present choice; stops the page when there is none, the reason then stands in the sidebar."""
    choice: Choice | None = st.session_state.get(_STATE)
    if choice is None:
        st.stop()
    return choice


def _controls() -> Choice:
    data = st.selectbox(
        "Data set",
        list(dict.fromkeys([*DATASETS, *data_entries()])),
        key="data",
        bind="query-params",
        help=_help("data", "What both models look at. Results are computed on its held-out rows."),
    )
    see_shelf(data)
    models = offered(load_dataset(data))
    names = list(models)
    if not any(isinstance(model, Model) for model in models.values()):
        raise BadChoice(f"No model of the shelf reads '{data}'.", "Add one with 'relviz add'.")
    for key in ("a", "b"):
        _report_unknown(key, names, data)
    a = st.selectbox(
        "Model A",
        names,
        index=_default(names, "cnn-s0"),
        key="a",
        bind="query-params",
        help=_help("a", "The encoder that is read."),
    )
    b = st.selectbox(
        "Model B",
        names,
        index=_default(names, "cnn-s1"),
        key="b",
        bind="query-params",
        help=_help("b", "The model whose head reads."),
    )
    for name in (a, b):
        if isinstance(problem := models[name], RelvizError):
            raise problem
    return Choice(a=a, b=b, data=data, anchors=_anchors(load_dataset(data), a), k=_neighbours(load_dataset(data)))


def _anchors(data: DataSet, source: str) -> Anchors:
    most = min(settings.MAX_ANCHORS, data.gallery_size)
    count = whole_number(
        "Anchors", 2, most, 300, key="anchors", help="How many gallery samples every sample is related to."
    )
    known = {"vectors"} if data.labels is None else {"labels", "vectors"}
    strategies = [name for name, entry in STRATEGIES.items() if entry.needs <= known]
    strategy = st.selectbox(
        "Chosen",
        strategies,
        index=strategies.index(usual_strategy(data)),
        format_func=lambda name: STRATEGIES[name].label,
        key="strategy",
        bind="query-params",
        help="How the anchors are chosen from the gallery; strategies that look at vectors look at model A's.",
    )
    seed = st.number_input("Seed", 0, 9999, 0, key="seed", bind="query-params", help="Another seed, other anchors.")
    projection = st.selectbox(
        "Similarity",
        list(PROJECTIONS),
        format_func=lambda name: PROJECTIONS[name].label,
        key="projection",
        bind="query-params",
        help="How a sample is related to an anchor.",
    )
    centred = st.toggle(
        "Centre on the anchors",
        key="centred",
        bind="query-params",
        help="Subtract the anchors' mean first; undoes a shift between the spaces.",
    )
    return Anchors(count, strategy, int(seed), projection, centred, source)


def _neighbours(data: DataSet) -> int:
    others = len(data) - data.gallery_size - 1
    with st.expander("More"):
        return whole_number(
            "Neighbours k",
            1,
            min(_MOST_NEIGHBOURS, others),
            settings.NEIGHBOURS,
            key="k",
            help="How many neighbours Jaccard@k and MRR@k look at.",
        )


def _help(key: str, sentence: str) -> str:
    """What a control is for, and the name that is chosen where it may be too long for its box."""
    name = st.session_state.get(key) or ""
    return f"{sentence} Chosen is {plain(name)}." if len(name) > _LONG else sentence


def _report_unknown(key: str, known: list[str], data: str) -> None:
    """Say why when a link names a model that is not offered; Streamlit would show the default without a word."""
    asked = st.query_params.get(key)
    if asked is not None and asked not in known:
        st.toast(public(why_not_offered(asked, load_dataset(data))), duration="long")


def _default(names: list[str], ending: str) -> int:
    return next((i for i, name in enumerate(names) if name.endswith(ending)), 0)
