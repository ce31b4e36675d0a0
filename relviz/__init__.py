"""relviz: do two trained models see the same thing, and can one be plugged into the other?

>>> found = compare("digits-mlp-s0", "digits-mlp-s1", data="digits", anchors=50)
>>> found.relative["cka"].n
500
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relviz.types import OptionValue
    from relviz.usecases.compare import Comparison
    from relviz.usecases.stitching import StitchedCell

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "notes_on", "stitch"]


def compare(
    a: str,
    b: str,
    *,
    data: str | None = None,
    anchors: int = 300,
    strategy: str | None = None,
    seed: int = 0,
    projection: str = "cosine",
    centred: bool = False,
    k: int | None = None,
    measures: Sequence[str] = ("all",),
    draws: int = 0,
    options: Mapping[str, OptionValue] | None = None,
) -> Comparison:
    """Measures from model A to model B on the held-out rows, absolute and relative: what `relviz compare` prints.

    Left out, `data` are those of the first array among the models, else Fashion-MNIST; `strategy` is "class-balanced",
    "uniform" without labels; k is 10, or all others where there are fewer; `measures` are all of them. With `draws`
    resamplings each value has its null band and its 95 % interval (100 or more for steady ends). `options` are values
    of what the methods in use declare, by NAME, METHOD.NAME or KIND.METHOD.NAME, as in {"svcca.keep": 0.9}.

    Raises
    ------
    RelvizError: an unknown name or an impossible value; the sentence says which.
    """
    from relviz.core.measures import MEASURES
    from relviz.data.catalogue import load_dataset
    from relviz.encoding.spaces import usual_strategy
    from relviz.models.catalogue import usual_data
    from relviz.request_options import with_options
    from relviz.requests import Anchors, Compare
    from relviz.usecases.table import run

    data = usual_data(a, b) if data is None else data
    samples = load_dataset(data)
    how = strategy or usual_strategy(samples)
    chosen = Anchors(anchors, how, seed, projection, centred)
    names = tuple(MEASURES) if list(measures) == ["all"] else tuple(measures)
    plain = Compare(a, b, data, chosen, samples.neighbours if k is None else k, names, draws)
    found: Comparison = run(with_options(plain, options or {}))
    return found


def stitch(
    a: str,
    b: str,
    *,
    data: str | None = None,
    anchors: int = 300,
    strategy: str | None = None,
    seed: int = 0,
    centred: bool = False,
    methods: Sequence[str] = (),
) -> list[StitchedCell]:
    """Stitched accuracy of each model's encoder with each model's head, by every method of
    `methods`, else by the first three: what `relviz stitch` prints. Defaults are those of `compare`.

    Raises
    ------
    RelvizError: an unknown name or an impossible value; the sentence says which.
    """
    from relviz.data.catalogue import load_dataset
    from relviz.encoding.spaces import usual_strategy
    from relviz.models.catalogue import usual_data
    from relviz.requests import DEFAULT_METHODS, Anchors, Stitch
    from relviz.usecases.table import run

    data = usual_data(a, b) if data is None else data
    how = strategy or usual_strategy(load_dataset(data))
    chosen = Anchors(anchors, how, seed, centred=centred)
    pair = tuple(dict.fromkeys((a, b)))
    cells: list[StitchedCell] = run(Stitch(pair, data, chosen, tuple(methods or DEFAULT_METHODS)))
    return cells


def notes_on(*models: str, data: str | None = None) -> list[str]:
    """What is assumed about these models and the data, and what looks wrong: what the commands print under a table.

    Left out, `data` are as in `compare`.

    Raises
    ------
    RelvizError: an unknown name; the sentence says which.

    >>> notes_on("digits-mlp-s0", "digits-cnn-s0", data="digits")
    []
    """
    from relviz.models.catalogue import usual_data
    from relviz.requests import Notes
    from relviz.usecases.table import run

    asked = Notes(tuple(dict.fromkeys(models)), usual_data(*models) if data is None else data)
    found: list[str] = run(asked)
    return found
