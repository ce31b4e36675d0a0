"""Parts of a data set: drawn by a seed and named after it, so that nothing is sampled silently."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from relviz.data.arranging import taken, unlearnt
from relviz.data.dataset import DataSet, Graph
from relviz.errors import BadChoice

_ENDING = re.compile(r"(?P<whole>.+):n=(?P<n>\d{1,9})(?:,seed=(?P<seed>\d{1,9}))?")


def subset_name(name: str) -> tuple[str, int, int] | None:
    """Whole set, size and seed of a name that ends in `:n=2000` or `:n=2000,seed=0`; None for any other name.

    >>> subset_name("cifar10:n=2000,seed=3")
    ('cifar10', 2000, 3)
    >>> subset_name("cifar10") is None
    True
    """
    found = _ENDING.fullmatch(name)
    return (found["whole"], int(found["n"]), int(found["seed"] or 0)) if found else None


def subset(data: DataSet, *, n: int, seed: int) -> DataSet:
    """n samples drawn uniformly from gallery and held-out rows, in proportion to these, in their old order.

    Raises
    ------
    BadChoice: n out of range, a class held out of which the gallery has nothing, or the data is a graph, which is read
        as a whole.
    """
    if isinstance(data.samples, Graph):
        raise BadChoice(f"'{data.name}' is one graph, of which no part can be drawn.", "Choose the whole graph.")
    from_gallery = round(n * data.gallery_size / len(data))
    counts = (from_gallery, n - from_gallery)
    if n > len(data) or min(counts) < 2:
        hint = f"Choose at most {len(data)}, and so many that the gallery and the held-out part have 2 each."
        raise BadChoice(f"{n} of the {len(data)} samples of '{data.name}' cannot be drawn.", hint)
    generator = np.random.default_rng(seed)
    rows = np.concatenate(
        [
            np.sort(generator.choice(np.arange(len(data))[part], count, replace=False))
            for part, count in zip((data.gallery, data.held_out), counts, strict=True)
        ]
    )
    labels = None if data.labels is None else data.labels[rows]
    strange = None if labels is None else unlearnt(labels, np.arange(n) >= from_gallery)
    if strange is not None:
        told = f"holds out the class '{data.class_names[strange][:40]}', of which its gallery has no sample"
        raise BadChoice(f"The part of '{data.name}' that seed {seed} draws {told}.", "Draw more, or by another seed.")
    return replace(
        data,
        name=f"{data.name}:n={n},seed={seed}",
        title=f"{data.title}, {n:,} drawn with seed {seed}",
        samples=taken(data.samples, rows),
        gallery_size=from_gallery,
        labels=labels,
        ids=tuple(data.ids[row] for row in rows),
    )
