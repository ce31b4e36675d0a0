"""What can be asked: frozen requests, equal when they ask the same, so that equal requests are computed once."""

from __future__ import annotations

from dataclasses import dataclass

from relviz import settings


@dataclass(frozen=True)
class Anchors:
    """How anchors are chosen and how samples are related to them.

    Attributes
    ----------
    count: number of anchors k.
    strategy: a key of `relviz.core.anchors.STRATEGIES`.
    centred: whether the cosine projection is centred on the anchors.
    """

    count: int = 300
    strategy: str = "class-balanced"
    seed: int = 0
    centred: bool = False


@dataclass(frozen=True)
class Compare:
    """Measures from model A to model B, absolute and relative, on the held-out rows."""

    a: str
    b: str
    data: str
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Similarity:
    """The same measures for every ordered pair of models that fit the data."""

    data: str
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Stitch:
    """Stitched accuracy of every encoder with every head of the named models, by every method."""

    models: tuple[str, ...]
    data: str
    anchors: Anchors = Anchors()


@dataclass(frozen=True)
class Curve:
    """Stitched accuracy of one encoder with one head for several numbers of anchors."""

    encoder: str
    head: str
    data: str
    anchors: Anchors = Anchors()


@dataclass(frozen=True)
class Maps:
    """The four maps of a pair: absolute A and B each on its own, relative A and B in one joint fit.

    Attributes
    ----------
    reduction: "pca" or "umap".
    """

    a: str
    b: str
    data: str
    anchors: Anchors = Anchors()
    reduction: str = "pca"


Request = Compare | Similarity | Stitch | Curve | Maps
