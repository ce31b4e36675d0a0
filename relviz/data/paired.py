"""Two data sets with a correspondence: translations, an image and its caption, two views of one thing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relviz.data.dataset import DataSet
from relviz.errors import BadChoice, BadFile, UnknownName
from relviz.shelf_file import paired_sets

_LEAST = 2  # pairs in either part


@dataclass(frozen=True, eq=False)
class Paired:
    """Samples of two data sets that belong together.

    The first `gallery_size` pairs lie in the gallery of both sets (parallel anchors come from there), the others
    are held out in both.

    Attributes
    ----------
    rows_a, rows_b: int64 `p`, the rows of each pair in A and in B, in the order of A.
    """

    a: DataSet
    b: DataSet
    rows_a: NDArray[np.int64] = field(repr=False)
    rows_b: NDArray[np.int64] = field(repr=False)
    gallery_size: int

    def __len__(self) -> int:
        return len(self.rows_a)

    @property
    def gallery(self) -> slice:
        """Pairs that anchors may be chosen from."""
        return slice(0, self.gallery_size)

    @property
    def held_out(self) -> slice:
        """Pairs that results are computed on."""
        return slice(self.gallery_size, len(self))

    @property
    def unpaired(self) -> tuple[int, int]:
        """How many samples of A and of B are in no pair of one part."""
        return len(self.a) - len(self), len(self.b) - len(self)


def group(name: str) -> tuple[str, ...]:
    """Names of the data sets of a group of the shelf file.

    Raises
    ------
    UnknownName: there is no such group; BadFile: what the shelf file says of it cannot be understood.
    """
    groups = paired_sets()
    if name not in groups:
        raise UnknownName("group of paired data sets", name, groups)
    found = groups[name]
    if isinstance(found, BadFile):
        raise found
    return found


def pair(a: DataSet, b: DataSet) -> Paired:
    """The samples of two data sets whose ids agree; where ids are row numbers, line i of both belongs together.

    Where neither source divides its samples and only one labels them, their fifths are not quite the same: the few
    pairs that lie in unlike parts are left out.

    Raises
    ------
    BadChoice: no ids in common, unlike numbers of rows where the ids are row numbers, a pair in the gallery of one
        set and held out of the other by a source's split, or too few pairs.
    """
    if a.numbered and b.numbered and a.rows != b.rows:
        raise BadChoice(
            f"'{a.name}' has {a.rows} samples and '{b.name}' {b.rows}, and neither names them.",
            "Pair data sets of equally many lines, or give both ids.",
        )
    rows_b = {name: i for i, name in enumerate(b.ids)}
    pairs = [(i, rows_b[name]) for i, name in enumerate(a.ids) if name in rows_b]
    alike = [(i, j) for i, j in pairs if (i < a.gallery_size) == (j < b.gallery_size)]
    if (a.divided or b.divided) and len(alike) < len(pairs):
        i = next(i for i, j in pairs if (i < a.gallery_size) != (j < b.gallery_size))
        raise BadChoice(
            f"Sample '{a.ids[i][:40]}' is in the gallery of only one of '{a.name}' and '{b.name}'.",
            "Divide both data sets alike.",
        )
    pairs = alike
    gallery_size = sum(i < a.gallery_size for i, _ in pairs)
    if min(gallery_size, len(pairs) - gallery_size) < _LEAST:
        raise BadChoice(
            f"'{a.name}' and '{b.name}' share {gallery_size} ids in their galleries and "
            f"{len(pairs) - gallery_size} held out.",
            f"Choose data sets that hold the same items; both parts need at least {_LEAST}.",
        )
    rows = np.array(pairs, np.int64)
    return Paired(a, b, rows[:, 0], rows[:, 1], gallery_size)
