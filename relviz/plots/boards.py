"""Heat maps of models against models."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relviz.plots.palette import SEQUENTIAL

WRITTEN = 16  # columns up to which numbers have room
Cell = tuple[float | None, str]  # value or None, and what hovering says

CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def plot_board(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], *,
    title: str, row_title: str, column_title: str, low: float, high: float, height: int,
    notes: Sequence[Sequence[str]] = (), gaps: Sequence[int] = (),
) -> go.Figure:  # fmt: skip
    """A heat map with its numbers written in, if there is room; an undefined cell shows a dash and its reason on hover.

    Parameters
    ----------
    cells: one row of cells per name in `rows`.
    low, high: what the ends of the colour scale mean.
    notes: what stands in small letters under each number.
    gaps: before which rows, and columns, a line sets groups apart.
    """
    figure = go.Figure(
        go.Heatmap(
            z=[[value for value, _ in row] for row in cells],
            x=short_names(columns),
            y=short_names(rows),
            text=_texts(cells, notes, crowded=len(columns) > 10),
            customdata=[[words for _, words in row] for row in cells],
            texttemplate="%{text}" if len(columns) <= WRITTEN else None,
            textfont={"size": 10 if len(columns) <= 10 else 9},
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=True,
            colorscale=SEQUENTIAL,
            zmin=low,
            zmax=high,
            xgap=1,
            ygap=1,
            colorbar={"thickness": 8, "len": 0.8},
        )
    )
    for i, row in enumerate(cells):
        for j, (value, _) in enumerate(row):
            if value is None:  # plotly writes no text into a cell without a number
                figure.add_annotation(x=j, y=i, text="–", showarrow=False)
    for gap in gaps:  # white: a gap on light ground, a line on dark
        figure.add_hline(y=gap - 0.5, line_width=4, line_color="white")
        figure.add_vline(x=gap - 0.5, line_width=4, line_color="white")
    figure.update_layout(
        title={"text": title, "font": {"size": 14}}, height=height, margin={"l": 4, "r": 4, "t": 34, "b": 4}, **CLEAR
    )
    figure.update_xaxes(title=column_title, tickangle=-40, showgrid=False, tickfont={"size": 11})
    figure.update_yaxes(title=row_title, autorange="reversed", showgrid=False, tickfont={"size": 11})
    return figure


def shortened(name: str, most: int = 28) -> str:
    """A name by its beginning and its end, where it is longer than that many characters.

    >>> shortened("cnn-s0"), shortened("begin" + 80 * "x" + "end", 12)
    ('cnn-s0', 'beginxxx…end')
    """
    end = (most - 1) // 3
    return name if len(name) <= most else f"{name[: most - 1 - end]}…{name[-end:]}"


def cut(names: Sequence[str]) -> list[str]:
    """Long names shortened, if that leaves them unlike: an axis takes equal names for one.

    >>> cut([20 * "x", 80 * "y"]), cut([40 * "x" + "1" + 40 * "x", 40 * "x" + "2" + 40 * "x"])[0] == 40 * "x"
    (['xxxxxxxxxxxxxxxxxxxx', 'yyyyyyyyyyyyyyyyyy…yyyyyyyyy'], False)
    """
    short = [shortened(name) for name in names]
    return short if len(set(short)) == len(set(names)) else list(names)


def short_names(names: Sequence[str]) -> list[str]:
    """Names without the word that they all begin with, long ones shortened.

    >>> short_names(["fmnist-cnn-s0", "fmnist-cnn-s1"]), short_names(["cnn-s0", "mlp-s0"]), short_names(["cnn"])
    (['cnn-s0', 'cnn-s1'], ['cnn-s0', 'mlp-s0'], ['cnn'])
    """
    first, _, rest = names[0].partition("-")
    if rest and all(name.startswith(f"{first}-") for name in names):
        names = [name.removeprefix(f"{first}-") for name in names]
    return cut(names)


def _texts(cells: Sequence[Sequence[Cell]], notes: Sequence[Sequence[str]], *, crowded: bool) -> list[list[str]]:
    found = [[_written(value, crowded=crowded) for value, _ in row] for row in cells]
    for row, said in zip(found, notes or [()] * len(found), strict=True):
        for place, note in enumerate(said):
            row[place] += f"<br><span style='font-size:8px'>{note}</span>" if note else ""
    return found


def _written(value: float | None, *, crowded: bool) -> str:
    text = "–" if value is None else f"{value:.2f}"
    return text.replace("0.", ".", 1) if crowded and text.startswith(("0.", "-0.")) else text
