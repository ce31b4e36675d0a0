"""relviz: do two trained models see the same thing, and can one be plugged into the other?

>>> found = compare("digits-mlp-s0", "digits-mlp-s1", data="digits", anchors=50)
>>> found.relative["cka"].n
500
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relviz.service.compare import Comparison
    from relviz.service.stitching import StitchedCell

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "notes_on", "stitch"]


def compare(
    a: str,
    b: str,
    *,
    data: str = "fashion-mnist",
    anchors: int = 300,
    strategy: str = "class-balanced",
    seed: int = 0,
    projection: str = "cosine",
    centred: bool = False,
    k: int | None = None,
    draws: int = 0,
) -> Comparison:
    """Measures from model A to model B on the held-out rows, absolute and relative: what `relviz compare` prints.

    Without k, measures look at 10 neighbours, or at all others where there are fewer.
    With `draws` resamplings each value has its null band and its 95 % interval (100 or more for steady ends).

    Raises
    ------
    RelvizError: a name or value that is not to be had; the sentence says which.
    """
    from relviz.data.catalogue import load_dataset
    from relviz.service.requests import Anchors, Compare
    from relviz.service.run import run
    from relviz.service.spaces import source_of

    chosen = Anchors(anchors, strategy, seed, projection, centred, source_of(strategy, a))
    found: Comparison = run(Compare(a, b, data, chosen, load_dataset(data).neighbours if k is None else k, draws=draws))
    return found


def stitch(
    a: str,
    b: str,
    *,
    data: str = "fashion-mnist",
    anchors: int = 300,
    strategy: str = "class-balanced",
    seed: int = 0,
    centred: bool = False,
    methods: Sequence[str] = (),
) -> list[StitchedCell]:
    """Stitched accuracy of each model's encoder with each model's head, by every method of
    `methods`, else by the first three: what `relviz stitch` prints.

    Raises
    ------
    RelvizError: a name or value that is not to be had; the sentence says which.
    """
    from relviz.service.requests import DEFAULT_METHODS, Anchors, Stitch
    from relviz.service.run import run
    from relviz.service.spaces import source_of

    chosen = Anchors(anchors, strategy, seed, centred=centred, source=source_of(strategy, a))
    pair = tuple(dict.fromkeys((a, b)))
    cells: list[StitchedCell] = run(Stitch(pair, data, chosen, tuple(methods or DEFAULT_METHODS)))
    return cells


def notes_on(*models: str, data: str = "fashion-mnist") -> list[str]:
    """What is assumed about these models and the data, and what looks wrong: what the commands print under a table.

    Raises
    ------
    RelvizError: a name that is not to be had; the sentence says which.

    >>> notes_on("digits-mlp-s0", "digits-cnn-s0", data="digits")
    []
    """
    from relviz.service.requests import Notes
    from relviz.service.run import run

    found: list[str] = run(Notes(tuple(dict.fromkeys(models)), data))
    return found
