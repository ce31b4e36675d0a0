"""Word embeddings: one searches the other through anchor words, as in the first table of 2209.15430."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from relviz.core.anchors import select_anchors
from relviz.core.measures import MEASURES, Pair
from relviz.core.projections import project
from relviz.data.catalogue import load_dataset
from relviz.experiments.fields import WORDS, file
from relviz.experiments.report import Claim, Published, Report, Row, mean, row, value
from relviz.plots.experiments import bars
from relviz.progress import Progress

K, ANCHORS, SEEDS = 5, 300, 3
MEASURED = {"jaccard": "Jaccard@5", "mrr": "MRR@5", "cosine": "cosine"}
POOL = 1000  # "top-1000": anchors among the most frequent words
STRATEGIES: dict[str, dict[str, int]] = {"uniform": {}, "farthest-point": {}, "k-means": {}, "frequent": {"pool": POOL}}
DIRECTIONS = {"FastText to Word2Vec": ("glove100", "spacy300"), "Word2Vec to FastText": ("spacy300", "glove100")}
# Jaccard@5, MRR@5 and cosine of the paper's notebook, direction by direction.
PUBLISHED: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "absolute": ((0.00, 0.00, 0.01), (0.00, 0.00, 0.01)),
    "uniform": ((0.38, 0.93, 0.86), (0.44, 0.97, 0.86)),
    "farthest-point": ((0.38, 0.94, 0.81), (0.47, 0.98, 0.83)),
    "k-means": ((0.39, 0.94, 0.87), (0.43, 0.97, 0.87)),
    "frequent": ((0.30, 0.84, 0.85), (0.40, 0.97, 0.85)),
}


def run(quick: bool, progress: Progress) -> Report:
    """Every strategy in both directions, absolute, relative, and relative centred on the anchors."""
    seeds, top = (1, 600) if quick else (SEEDS, 5000)
    path = file(WORDS)
    sets = {name: load_dataset(f"{path}#{name}") for name in ("glove100", "spacy300")}
    spaces = {name: torch.from_numpy(np.asarray(data.samples)[:top]).float() for name, data in sets.items()}
    rows: list[Row] = []
    for place, (direction, names) in enumerate(DIRECTIONS.items()):
        source, target = (spaces[name] for name in names)
        where = f"{' to '.join(names)} (published: {direction})"
        rows += _rows(where, "absolute", [_measured(*_padded(source, target))], PUBLISHED["absolute"][place])
        for done, strategy in enumerate(STRATEGIES):
            progress((place + done / len(STRATEGIES)) / len(DIRECTIONS), f"{where}, {strategy}")
            chosen = [_anchors(source, strategy, seed) for seed in range(seeds)]
            for centred in (False, True):
                found = [_relative(source, target, anchors, centred) for anchors in chosen]
                published = None if centred else PUBLISHED[strategy][place]
                rows += _rows(where, f"{strategy}{', centred' if centred else ''}", found, published)
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[f"{top:,} frequent English words: GloVe of 100 and spaCy's vectors of 300 dimensions"],
        differences=[
            "GloVe and spaCy's vectors instead of FastText and Word2Vec, which makes another task of it",
            f"{top:,} words instead of 20,000, frequent ones of any length among them",
            f"k = {K}, mean over {seeds} seeds instead of 10",
            "absolute vectors of unlike widths are zero padded",
            "'frequent' stands beside the published top-1000; rows called centred have no published number",
        ],
        figure=_figure(rows),
    )


def _padded(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    width = max(source.shape[1], target.shape[1])
    first, second = (pad(x, (0, width - x.shape[1])) for x in (source, target))
    return first, second


def _anchors(source: Tensor, strategy: str, seed: int) -> Tensor:
    """Anchor words chosen in the source space, in the order of the words."""
    rows = select_anchors(
        None,
        strategy=strategy,
        count=min(ANCHORS, len(source) // 2),
        seed=seed,
        vectors=source,
        frequencies=torch.arange(len(source), 0, -1),  # the file holds its words in that order
        **STRATEGIES[strategy],
    )
    return rows.sort().values


def _relative(source: Tensor, target: Tensor, anchors: Tensor, centred: bool) -> dict[str, float]:
    first, second = (project(x, x[anchors], name="cosine", centred=centred) for x in (source, target))
    return _measured(first, second)


def _measured(first: Tensor, second: Tensor) -> dict[str, float]:
    pair = Pair(first, second, k=K)
    found = {name: MEASURES[name](pair).value for name in MEASURED}
    return {name: number for name, number in found.items() if number is not None}


def _rows(
    where: str, how: str, found: list[dict[str, float]], published: tuple[float, float, float] | None
) -> list[Row]:
    numbers = [None] * len(MEASURED) if published is None else [Published(number, "R") for number in published]
    return [
        row(where, f"{how}: {label}", mean(each[name] for each in found), number)
        for (name, label), number in zip(MEASURED.items(), numbers, strict=True)
    ]


def claims(rows: list[Row]) -> list[Claim]:
    """Absolute against relative, and the anchor strategies against each other, in both directions."""
    found = list(dict.fromkeys(r.where for r in rows))

    def both(what: str) -> list[float]:
        return [value(rows, where, what) for where in found]

    absolute = both("absolute: MRR@5") + both("absolute: Jaccard@5")
    relative, centred = both("uniform: MRR@5"), both("uniform, centred: MRR@5")
    frequent, spread = both("frequent: MRR@5"), both("k-means: MRR@5")
    return [
        Claim(
            "Absolute spaces find nothing in each other: Jaccard and MRR at most 0.01.",
            max(absolute) <= 0.01,
            f"at most {max(absolute):.4f}",
        ),
        Claim(
            "Through 300 uniform anchors a word finds itself at least ten times as well as without.",
            all(found >= 10 * bare for found, bare in zip(relative, both("absolute: MRR@5"), strict=True)),
            f"MRR {' and '.join(f'{x:.3f}' for x in relative)}",
        ),
        Claim(
            "Its MRR is at least 0.84, the least of the published ones.",
            min(relative) >= 0.84,
            f"{' and '.join(f'{x:.3f}' for x in relative)}; centred {' and '.join(f'{x:.3f}' for x in centred)}",
        ),
        Claim(
            "Anchors among the most frequent words do worse than uniform ones.",
            all(few < any_ for few, any_ in zip(frequent, relative, strict=True)),
            f"MRR {' and '.join(f'{x:.3f}' for x in frequent)}",
        ),
        Claim(
            "k-means anchors do at least as well as uniform ones.",
            all(few >= any_ for few, any_ in zip(spread, relative, strict=True)),
            f"MRR {' and '.join(f'{x:.3f}' for x in spread)}",
        ),
    ]


def _figure(rows: list[Row]) -> dict[str, object]:
    where = rows[0].where
    heights = {
        label: {
            r.what.partition(":")[0]: value(rows, where, r.what)
            for r in rows
            if r.where == where and r.what.endswith(label)
        }
        for label in MEASURED.values()
    }
    return bars(heights, y=where.partition(" (")[0])
