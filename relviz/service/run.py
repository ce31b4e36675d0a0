"""One door to every use case: a request in, its result out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relviz.models.training import Progress
from relviz.service.compare import compare, similarity
from relviz.service.maps import draw_maps
from relviz.service.requests import Compare, Curve, Maps, Request, Similarity, Stitch
from relviz.service.stitching import curve, stitch

_USE_CASES: dict[type, Callable[[Any, Progress], Any]] = {
    Compare: compare,
    Similarity: similarity,
    Stitch: stitch,
    Curve: curve,
    Maps: draw_maps,
}


def silent(_share: float, _text: str) -> None:
    """Progress that nobody watches."""


def run(request: Request, progress: Progress = silent) -> Any:
    """The answer to a request, computed here and now.

    Raises
    ------
    RelvizError: the request cannot be met; the sentence says why.
    """
    return _USE_CASES[type(request)](request, progress)
