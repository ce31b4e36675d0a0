"""What can be asked: frozen requests, equal when they ask the same, so that equal requests are computed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from relviz import settings
from relviz.types import DataName, MethodName, ModelName, SampleName, SetOption

BY_HAND = "by-hand"  # in place of a strategy

DEFAULT_MEASURES = ("cka", "cka-debiased", "jaccard", "mrr", "cosine")
DEFAULT_METHODS = ("absolute", "relative-cosine", "ortho")
DEFAULT_WAYS = ("absolute", "relative", "ortho", "l-ortho", "linear", "affine", "control")
DEFAULT_RECONSTRUCTIONS = ("absolute", "linear", "ortho", "inverse")
SCALE_FACTORS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)


class Request:
    """What every request is: a frozen dataclass, declared with its answer in `relviz.usecases`."""


@dataclass(frozen=True)
class Anchors:
    """How anchors are chosen and how samples are related to them.

    Attributes
    ----------
    count: number of anchors k.
    strategy: a key of `relviz.core.anchors.STRATEGIES`, or `BY_HAND`.
    projection: a key of `relviz.core.projections.PROJECTIONS`.
    centred: whether samples and anchors are first centred on the anchors' mean.
    source: the model in whose space a strategy that looks at vectors chooses; empty for the first one that the request
        names. `relviz.usecases.table.complete` fills it in.
    ids: gallery samples chosen by hand, of which the first `count` are the anchors, in this order.
    options: of the strategy and of the projection.
    """

    count: int = 300
    strategy: MethodName = "class-balanced"
    seed: int = 0
    projection: MethodName = "cosine"
    centred: bool = False
    source: ModelName = ""
    ids: tuple[SampleName, ...] = ()
    options: tuple[SetOption, ...] = ()


def by_hand(ids: Iterable[str], like: Anchors = Anchors()) -> Anchors:
    """Anchors that are samples chosen by hand, by their ids; samples are related to them as to others."""
    named = tuple(ids)
    options = tuple(one for one in like.options if one.kind == "projection")
    return Anchors(len(named), BY_HAND, 0, like.projection, like.centred, ids=named, options=options)


@dataclass(frozen=True)
class Compare(Request):
    """Measures from model A to model B, absolute and relative, on the held-out rows.

    Attributes
    ----------
    measures: keys of `relviz.core.measures.MEASURES`.
    draws: of the null band and of the interval; 0 asks for neither.
    options: of the measures; those of strategy and projection stand with the anchors.
    """

    a: ModelName
    b: ModelName
    data: DataName
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS
    measures: tuple[MethodName, ...] = DEFAULT_MEASURES
    draws: int = 0
    options: tuple[SetOption, ...] = ()


@dataclass(frozen=True)
class Similarity(Request):
    """One measure for every ordered pair of models that fit the data.

    Attributes
    ----------
    measure: a key of `relviz.core.measures.MEASURES`.
    """

    measure: MethodName
    data: DataName
    anchors: Anchors = Anchors()
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Layers(Request):
    """One measure from every layer of model A to every layer of model B, on the held-out rows.

    Attributes
    ----------
    measure: a key of `relviz.core.measures.MEASURES`.
    options: of the measure.
    """

    measure: MethodName
    a: ModelName
    b: ModelName
    data: DataName
    k: int = settings.NEIGHBOURS
    options: tuple[SetOption, ...] = ()


@dataclass(frozen=True)
class Stitch(Request):
    """Stitched accuracy of every encoder with every head of the named models.

    Attributes
    ----------
    methods: keys of `relviz.core.stitching.METHODS`.
    own: whether each encoder is stitched with its own model's head as well.
    """

    models: tuple[ModelName, ...]
    data: DataName
    anchors: Anchors = Anchors()
    methods: tuple[MethodName, ...] = DEFAULT_METHODS
    own: bool = True


@dataclass(frozen=True)
class Readings(Request):
    """What is known of each held-out sample: predictions native and stitched, and how the two models place it.

    Attributes
    ----------
    encoder, head: the models A and B, as in "B's head reads A's encoder".
    method: a key of `relviz.core.stitching.METHODS`.
    k: neighbours of the local agreement.
    """

    encoder: ModelName
    head: ModelName
    data: DataName
    anchors: Anchors = Anchors()
    method: MethodName = "relative-cosine"
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Explain(Request):
    """One sample: its nearest others in either absolute space, and its relation to every anchor.

    Attributes
    ----------
    row: of the held-out rows, from 0.
    k: neighbours in each space.
    """

    a: ModelName
    b: ModelName
    data: DataName
    anchors: Anchors = Anchors()
    row: int = 0
    k: int = settings.NEIGHBOURS


@dataclass(frozen=True)
class Pairs(Request):
    """Which held-out samples of data set A find their partners in data set B, and the other way round.

    Attributes
    ----------
    a, b: models that read A and B.
    anchors: parallel ones, from the pairs of both galleries; a strategy that looks at vectors looks at A's.
    ways: keys of `relviz.usecases.paired.WAYS`.
    """

    a: ModelName
    b: ModelName
    data_a: DataName
    data_b: DataName
    anchors: Anchors = Anchors()
    ways: tuple[MethodName, ...] = DEFAULT_WAYS


@dataclass(frozen=True)
class PairBoard(Request):
    """The same by one way from every one of several data sets, read by model A, to every one, read by model B."""

    a: ModelName
    b: ModelName
    sets: tuple[DataName, ...]
    anchors: Anchors = Anchors()
    way: MethodName = "relative"


@dataclass(frozen=True)
class Reconstruct(Request):
    """Images that one model encodes and another decodes, on the held-out rows.

    Attributes
    ----------
    methods: keys of `relviz.core.stitching.METHODS` that carry vectors into the decoder's own space.
    pictures: of how many of the first held-out rows to give the pictures.
    """

    encoder: ModelName
    decoder: ModelName
    data: DataName
    anchors: Anchors = Anchors()
    methods: tuple[MethodName, ...] = DEFAULT_RECONSTRUCTIONS
    pictures: int = 8


@dataclass(frozen=True)
class Change:
    """Another value in place of one coordinate of a sample's relative code.

    Attributes
    ----------
    anchor: of the model's own anchors, from 0.
    value: layer-normalised similarity to it, so in standard deviations of the sample's similarities.
    """

    anchor: int
    value: float


@dataclass(frozen=True)
class Equalise(Request):
    """What a relative autoencoder draws when some coordinates of one sample's code are changed.

    Attributes
    ----------
    row: of the held-out rows, from 0.
    changes: at most one for each anchor; none gives the sample's own reconstruction.
    nearest: of how many of the anchors nearest to the sample to give the pictures.
    """

    model: ModelName
    data: DataName
    row: int = 0
    changes: tuple[Change, ...] = ()
    nearest: int = 8


@dataclass(frozen=True)
class Rescale(Request):
    """What each model's own head or decoder makes of its held-out vectors, multiplied by factors.

    Attributes
    ----------
    factors: above 0.
    """

    models: tuple[ModelName, ...]
    data: DataName
    factors: tuple[float, ...] = SCALE_FACTORS


@dataclass(frozen=True)
class Layout:
    """How a reduction other than PCA draws.

    Attributes
    ----------
    neighbours: of UMAP's graph, and of PaCMAP's.
    min_dist: how near UMAP's points may come, in [0, 0.99].
    metric: one of `relviz.core.reductions.METRICS`.
    """

    neighbours: int = settings.MAP_NEIGHBOURS
    min_dist: float = 0.1
    metric: MethodName = "cosine"
    seed: int = 0


@dataclass(frozen=True)
class Maps(Request):
    """The four maps of a pair: absolute A and B each on its own, relative A and B in one joint fit.

    Attributes
    ----------
    reduction: a key of `relviz.core.reductions.REDUCTIONS`.
    dimensions: of the maps; PCA alone draws 3.
    """

    a: ModelName
    b: ModelName
    data: DataName
    anchors: Anchors = Anchors()
    reduction: MethodName = "pca"
    layout: Layout = Layout()
    dimensions: int = 2


@dataclass(frozen=True)
class Notes(Request):
    """What is assumed about models and data, and what looks wrong about them."""

    models: tuple[ModelName, ...]
    data: DataName
