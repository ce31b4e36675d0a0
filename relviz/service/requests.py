"""What can be asked: frozen requests, equal when they ask the same, so that equal requests are computed once."""

from __future__ import annotations

from dataclasses import dataclass

from relviz import settings

DEFAULT_MEASURES = ("cka", "cka-debiased", "jaccard", "mrr", "cosine")
DEFAULT_METHODS = ("absolute", "relative-cosine", "ortho")


@dataclass(frozen=True)
class Anchors:
    """How anchors are chosen and how samples are related to them.

    Attributes
    ----------
    count: number of anchors k.
    strategy: a key of `relviz.core.anchors.STRATEGIES`.
    projection: a key of `relviz.core.projections.PROJECTIONS`.
    centred: whether samples and anchors are first centred on the anchors' mean.
    source: the model in whose space the anchors are chosen; empty unless the strategy looks at vectors.
    """

    count: int = 300
    strategy: str = "class-balanced"
    seed: int = 0
    projection: str = "cosine"
    centred: bool = False
    source: str = ""


@dataclass(frozen=True)
class Compare:
    """Measures from model A to model B, absolute and relative, on the held-out rows.

    Attributes
    ----------
    measures: keys of `relviz.core.measures.MEASURES`; none asks for all.
    """

    a: str
    b: str
    data: str
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Similarity:
    """One measure for every ordered pair of models that fit the data.

    Attributes
    ----------
    measure: a key of `relviz.core.measures.MEASURES`.
    """

    measure: str
    data: str
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Stitch:
    """Stitched accuracy of every encoder with every head of the named models.

    Attributes
    ----------
    methods: keys of `relviz.core.stitching.METHODS`.
    """

    models: tuple[str, ...]
    data: str
    anchors: Anchors = Anchors()
    methods: tuple[str, ...] = DEFAULT_METHODS


@dataclass(frozen=True)
class Curve:
    """Stitched accuracy of one encoder with one head for several numbers of anchors."""

    encoder: str
    head: str
    data: str
    anchors: Anchors = Anchors()
    methods: tuple[str, ...] = DEFAULT_METHODS


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
