"""What the maps show as a table to take away."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from relviz.ui.linked_map import Classes, Column, View


def offer_tables(
    views: Iterable[View],
    columns: Iterable[Column],
    *,
    ids: NDArray[np.integer] | tuple[str, ...],
    selected: NDArray[np.bool_],
    name: str,
) -> None:
    """Buttons that save ids, columns, coordinates and selection; the files are made when somebody presses one."""
    made = partial(_table, list(views), list(columns), ids, selected)
    kinds = {"CSV": ("text/csv", _csv), "Parquet": ("application/vnd.apache.parquet", _parquet)}
    for kind, (mime, write) in kinds.items():
        st.download_button(
            f"Save {kind}",
            data=partial(_written, write, made),
            file_name=f"{name}.{kind.lower()}",
            mime=mime,
            key=f"save-{kind}",
            type="tertiary",
            on_click="ignore",
            help="Ids, columns, coordinates of all four maps, and what is selected.",
        )


def _table(
    views: list[View],
    columns: list[Column],
    ids: NDArray[np.integer] | tuple[str, ...],
    selected: NDArray[np.bool_],
) -> pd.DataFrame:
    found: dict[str, object] = {"id": np.asarray(ids), "selected": selected}
    for column in columns:
        found[column.name] = (
            np.asarray(column.names)[column.codes] if isinstance(column, Classes) else np.asarray(column.values)
        )
    for view in views:
        for axis, letter in enumerate("xy"):
            found[f"{view.title}, {letter}"] = view.coordinates[:, axis]
    return pd.DataFrame(found)


def _written(write: Callable[[pd.DataFrame], bytes], made: Callable[[], pd.DataFrame]) -> bytes:
    return write(made())


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def _parquet(table: pd.DataFrame) -> bytes:
    written = io.BytesIO()
    table.to_parquet(written, index=False)
    return written.getvalue()
