"""Measures: two spaces over the same samples in, one number with a stated range out.

Every measure takes a `Pair`, which computes the passes that several measures share only once. A new one is one
function and one entry in `MEASURES`.
"""

from __future__ import annotations

from jaxtyping import Real
from torch import Tensor

from relviz import settings
from relviz.core.measures.by_class import class_conditional
from relviz.core.measures.canonical import pwcca, svcca
from relviz.core.measures.cka import linear_cka, linear_cka_debiased, rbf_cka, rbf_cka_debiased
from relviz.core.measures.local import local_agreement, mutual_knn, neighbour_jaccard
from relviz.core.measures.measure import Measure
from relviz.core.measures.pair import Pair
from relviz.core.measures.retrieval import jaccard, mean_cosine, mrr, mrr_full
from relviz.core.measures.shape import procrustes, rsa
from relviz.core.measures.space import Space
from relviz.core.registry import Option, Registry, flaw_of
from relviz.types import MeasureValue

__all__ = ["MEASURES", "Measure", "Pair", "Space", "class_conditional", "local_agreement", "measure_all"]

_DIRECTIONS = frozenset({"isotropic scale", "orthogonal", "permutation"})  # angles within one space
_CLOUD = _DIRECTIONS | {"translation"}  # distances within one space, up to scale
_KERNEL = (
    "The kernel's width is that share of the median distance between rows that differ, each space's own, on all rows "
    "or on 2,000 drawn with a fixed seed; of an even count of distances the lower of the two in the middle."
)
_AXES = (
    "A principal axis counts where it is wider than rounding: above 8.4e-8 of the widest in standard deviation, and "
    "above what rounding the given values to float32 leaves. Undefined where the axes of a space reach n - 1, as then "
    "every correlation is 1, but for a space with itself; inflated before that."
)
_BANDWIDTH = Option("bandwidth", 1.0, "kernel width as a share of the median distance", low=0.01, high=100.0)

_OWN = {
    "cka": Measure(
        label="CKA, linear",
        function=linear_cka,
        summary="shape of the two clouds, up to rotation and scale",
        source="1905.00414",
        invariances=_CLOUD,
        low=0.0,
        high=1.0,
    ),
    "cka-debiased": Measure(
        label="CKA, linear, debiased",
        function=linear_cka_debiased,
        summary="as CKA, without its inflation at few samples",
        source="2010.15327",
        invariances=_CLOUD,
        low=-1.0,
        high=1.0,
    ),
    "cka-rbf": Measure(
        label="CKA, RBF",
        function=rbf_cka,
        summary="as CKA, by nearness instead of inner products",
        source="1905.00414",
        detail=_KERNEL,
        invariances=_CLOUD,
        options=(_BANDWIDTH,),
        low=0.0,
        high=1.0,
    ),
    "cka-rbf-debiased": Measure(
        label="CKA, RBF, debiased",
        function=rbf_cka_debiased,
        summary="as RBF CKA, without its inflation at few samples",
        source="2010.15327",
        detail=_KERNEL,
        invariances=_CLOUD,
        options=(_BANDWIDTH,),
        low=-1.0,
        high=1.0,
    ),
    "svcca": Measure(
        label="SVCCA",
        function=svcca,
        summary="correlation of the leading axes that fit each other best",
        source="1706.05806",
        detail="Each space keeps the fewest axes that hold the share `keep` of its variance; the mean is over as many "
        "correlations as the space with fewer axes has. " + _AXES,
        invariances=_CLOUD,
        options=(Option("keep", 0.99, "share of each space's variance that is kept", low=0.01, high=1.0),),
        low=0.0,
        high=1.0,
    ),
    "pwcca": Measure(
        label="PWCCA",
        function=pwcca,
        summary="correlation of best fitting axes, weighted by their part in A",
        source="1806.05759",
        detail="All axes of both spaces count. " + _AXES,
        invariances=_CLOUD - {"orthogonal"},
        low=0.0,
        high=1.0,
        directed=True,
    ),
    "procrustes": Measure(
        label="Procrustes distance",
        function=procrustes,
        summary="what is left between the clouds after the best rotation; 0 is the same",
        source="2108.01661",
        detail="Both clouds are centred and brought to Frobenius norm one, the narrower padded with zeros; the "
        "value is half the least squared distance over orthogonal maps, 1 - the nuclear norm of X'Y. The paper's is "
        "not halved and ends at 2.",
        invariances=_CLOUD,
        low=0.0,
        high=1.0,
        higher_is_alike=False,
    ),
    "rsa": Measure(
        label="RSA",
        function=rsa,
        summary="rank correlation of the distances between samples",
        source="Kriegeskorte et al. 2008",
        detail="Distances are Euclidean in both spaces, over all pairs of rows (of 2,000 drawn with a fixed seed, "
        "where there are more), and compared by Spearman's rank correlation; equal ones share their mean rank.",
        invariances=_CLOUD,
        low=-1.0,
        high=1.0,
    ),
    "mutual-knn": Measure(
        label="Mutual neighbours@{k}",
        function=mutual_knn,
        summary="neighbours shared, each space searched by itself",
        source="2405.07987",
        detail="Neighbours are by cosine; the sample itself is not among its k neighbours.",
        invariances=_DIRECTIONS,
        low=0.0,
        high=1.0,
    ),
    "neighbour-jaccard": Measure(
        label="Neighbour Jaccard@{k}",
        function=neighbour_jaccard,
        summary="overlap of neighbours, each space searched by itself",
        source="2408.00531",
        detail="Neighbours are by cosine; the sample itself is not among its k neighbours, unlike in Jaccard@k.",
        invariances=_DIRECTIONS,
        low=0.0,
        high=1.0,
    ),
    "jaccard": Measure(
        label="Jaccard@{k}",
        function=jaccard,
        summary="neighbours shared when A's vectors search B",
        source="2209.15430",
        detail="Neighbours are by cosine among the rows of B; the sample itself is one of them and may be among the k.",
        invariances=frozenset({"isotropic scale"}),
        low=0.0,
        high=1.0,
        compares_vectors=True,
        directed=True,
    ),
    "mrr": Measure(
        label="MRR@{k}",
        function=mrr,
        summary="how near A's vector lands to the same sample in B",
        source="2209.15430",
        detail="Ranks are by cosine among all rows of B, the sample itself included, for it is what is looked for; "
        "beyond rank k it counts 0.",
        invariances=frozenset({"isotropic scale"}),
        low=0.0,
        high=1.0,
        compares_vectors=True,
        directed=True,
    ),
    "mrr-full": Measure(
        label="MRR, full ranking",
        function=mrr_full,
        summary="as MRR, counting every rank and not only the first few",
        source="Voorhees 1999",
        detail="Ranks are by cosine among all rows of B, the sample itself included, for it is what is looked for.",
        invariances=frozenset({"isotropic scale"}),
        low=0.0,
        high=1.0,
        compares_vectors=True,
        directed=True,
    ),
    "cosine": Measure(
        label="Mean cosine",
        function=mean_cosine,
        summary="angle between the two vectors of a sample",
        source="2209.15430",
        invariances=frozenset({"isotropic scale"}),
        low=-1.0,
        high=1.0,
        compares_vectors=True,
    ),
}
MEASURES: Registry[Measure] = Registry("relviz.measures", flaw_of(Measure), _OWN)


def measure_all(
    a: Real[Tensor, "n d"] | Space, b: Real[Tensor, "m e"] | Space, *, k: int, memory: int = settings.MEMORY
) -> dict[str, MeasureValue]:
    """Every registered measure on one pair of spaces, sharing passes.

    Parameters
    ----------
    a, b: vectors, or `Space`s that several calls share.
    k: neighbours of the retrieval measures, 1 to n - 1.
    memory: bytes that one block of a kernel may take.

    Raises
    ------
    BadChoice: what `Pair` refuses.

    >>> import torch
    >>> sorted(measure_all(torch.eye(5), torch.eye(5), k=2)) == sorted(MEASURES)
    True
    """
    pair = Pair(a, b, k=k, memory=memory)
    return {name: measure(pair) for name, measure in MEASURES.items()}
