"""The numbers of an anchor set, beside those without the anchors that are switched off."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from relviz.types import MeasureValue
from relviz.usecases.anchors import AnchorDiagnosis, SpaceDiagnosis

_HELP = (
    "**Coverage** is the mean cosine distance of a held-out sample to its nearest anchor, **radius** the largest. "
    "**Effective rank** counts the directions that the anchors span, weak ones in part: exp of the entropy of their "
    "singular values (Roy and Vetterli 2007). The **condition number**, largest over smallest singular value, says by "
    "how much an inverse enlarges noise. **Redundancy** is the mean over the anchors of the largest cosine to another. "
    "**CKA** is linear, of the two relative spaces (1905.00414); an anchor's **influence** is the CKA with all anchors "
    "minus that without it, its coordinate left out of both spaces."
)


def show_numbers(whole: AnchorDiagnosis, rest: AnchorDiagnosis | None) -> None:
    """A row for each number, a column for each space, and two more where anchors are switched off."""
    columns = {name: _facts(space, whole) for name, space in zip("AB", whole.spaces, strict=False)}
    if rest is not None:
        columns |= {f"{name} without": _facts(space, rest) for name, space in zip("AB", rest.spaces, strict=False)}
    st.dataframe(pd.DataFrame(columns), key="numbers")


def explain_numbers() -> None:
    """What the numbers mean, folded away."""
    with st.expander("What is measured"):
        st.markdown(_HELP)


def _facts(space: SpaceDiagnosis, found: AnchorDiagnosis) -> dict[str, str]:
    return {
        "coverage": f"{space.coverage:.4f}",
        "radius": f"{space.radius:.4f}",
        "effective rank": _told(space.effective_rank, ".2f"),
        "condition number": _told(space.condition_number, ",.1f"),
        "redundancy": _told(space.redundancy, ".4f"),
        "CKA": "–" if found.similarity is None else _told(found.similarity, ".5f"),
    }


def _told(value: MeasureValue, form: str) -> str:
    return f"–, {value.undefined}" if value.value is None else format(value.value, form)
