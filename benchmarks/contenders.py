"""What is timed: per kernel, ours first, then its peers on the same data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.spaces import two_spaces

Work = Callable[[], Any]
Found = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Contender:
    """One implementation: `prepare` builds its inputs and returns what is timed."""

    prepare: Callable[[], Work]
    repeats: int = 5


@dataclass(frozen=True)
class Group:
    """One kernel, its contenders with ours first, and the goal that `met` decides from the figures."""

    what: str
    contenders: dict[str, Contender]
    goal: str = ""
    met: Callable[[Found], bool] = lambda _: True
    rounds: int = 1


def _cka_ours() -> Work:
    from relviz.core.measures import MEASURES, Pair

    a, b, _ = two_spaces()
    return lambda: MEASURES["cka"](Pair(a, b, k=10))


def _cka_latentis() -> Work:
    from latentis.measure.cka import CKA

    a, b, _ = two_spaces()
    cka = CKA(mode="linear")
    return lambda: cka(a, b)


def _project(name: str) -> Callable[[], Work]:
    def prepare() -> Work:
        from relviz.core.projections import project

        a, _, _ = two_spaces()
        return lambda: project(a, a[:768], name=name)

    return prepare


def _latentis_cosine() -> Work:
    from latentis.transform.projection import cosine_proj

    a, _, _ = two_spaces()
    return lambda: cosine_proj(a, anchors=a[:768])


def _latentis_lp(p: float) -> Callable[[], Work]:
    def prepare() -> Work:
        from latentis.transform.projection import lp_proj

        a, _, _ = two_spaces()
        return lambda: lp_proj(a, anchors=a[:768], p=p)

    return prepare


def _scipy(metric: str) -> Callable[[], Work]:
    def prepare() -> Work:
        from scipy.spatial.distance import cdist

        a, _, _ = two_spaces()
        return lambda: cdist(a.numpy(), a[:768].numpy(), metric)

    return prepare


def _retrieval_ours() -> Work:
    from relviz.core.measures import MEASURES, Pair

    a, b, _ = two_spaces()

    def work() -> list[Any]:
        there = Pair(a, b, k=10)
        return [MEASURES[name](pair) for pair in (there.flipped, there) for name in ("jaccard", "mrr", "cosine")]

    return work


def _retrieval_faiss() -> Work:
    import faiss

    a, b, _ = two_spaces()
    unit = [torch.nn.functional.normalize(x).numpy() for x in (a, b)]

    def work() -> list[Any]:
        found = []
        for queries, keys in ((unit[0], unit[1]), (unit[1], unit[0])):
            index = faiss.IndexFlatIP(keys.shape[1])
            index.add(keys)
            found.append(index.search(queries, 10))
        return found

    return work


def _relative() -> tuple[torch.Tensor, torch.Tensor]:
    from relviz.core.projections.angles import cosine

    a, _, labels = two_spaces()
    return cosine(a, a[:500]), labels


def _heads_ours() -> Work:
    from relviz.core.heads.closed_form import ridge_gallery

    x, labels = _relative()
    tasks = [(labels + shift) % 100 for shift in range(32)]

    def work() -> list[Any]:
        gallery = ridge_gallery(x)
        return [gallery.fit(task, classes=100) for task in tasks]

    return work


def _heads_sklearn() -> Work:
    from sklearn.linear_model import LogisticRegression

    x, labels = _relative()
    tasks = [(labels + shift) % 100 for shift in range(2)]
    return lambda: [LogisticRegression(max_iter=200).fit(x.numpy(), task.numpy()) for task in tasks]


def _slower(peer: str, factor: float) -> Callable[[Found], bool]:
    """Whether a peer takes at least `factor` times as long as ours."""
    return lambda found: found[peer]["seconds"] >= factor * next(iter(found.values()))["seconds"]


GROUPS: dict[str, Group] = {
    "linear CKA": Group(
        "10,000 x 768, float32.",
        {
            "relviz": Contender(_cka_ours),
            "latentis": Contender(_cka_latentis, 1),
        },
        "at least 100 times faster than latentis with at most a tenth of its memory.",
        lambda found: _slower("latentis", 100)(found) and found["latentis"]["mib"] >= 10 * found["relviz"]["mib"],
    ),
    "cosine projection": Group(
        "10,000 x 768 to 768 anchors, float32.",
        {"relviz": Contender(_project("cosine"), 25), "latentis": Contender(_latentis_cosine, 25)},
        "no slower than latentis.",
        _slower("latentis", 1),
        rounds=7,
    ),
    "Euclidean projection": Group(
        "10,000 x 768 to 768 anchors, float32.",
        {"relviz": Contender(_project("euclidean"), 25), "latentis": Contender(_latentis_lp(2), 25)},
        "no slower than latentis.",
        _slower("latentis", 1),
        rounds=7,
    ),
    "L1 projection": Group(
        "10,000 x 768 to 768 anchors, float32.",
        {
            "relviz": Contender(_project("l1")),
            "latentis": Contender(_latentis_lp(1)),
            "scipy": Contender(_scipy("cityblock"), 3),
        },
        "at least 3 times faster than latentis.",
        _slower("latentis", 3),
    ),
    "L-infinity projection": Group(
        "10,000 x 768 to 768 anchors, float32.",
        {
            "relviz": Contender(_project("linf")),
            "latentis": Contender(_latentis_lp(float("inf"))),
            "scipy": Contender(_scipy("chebyshev"), 3),
        },
        "at least 3 times faster than latentis.",
        _slower("latentis", 3),
    ),
    "Jaccard, MRR and mean cosine, both directions": Group(
        "10,000 x 768, k = 10, from one shared pass, beside one exact faiss search per direction of the same rows.",
        {"relviz": Contender(_retrieval_ours), "faiss-cpu, searches alone": Contender(_retrieval_faiss)},
        "within 1.3 times of the searches alone.",
        _slower("faiss-cpu, searches alone", 1 / 1.3),
        rounds=3,
    ),
    "32 stitching heads": Group(
        "10,000 x 500 relative coordinates, 100 classes; ours fits 32 heads, scikit-learn 2 logistic regressions.",
        {"relviz, 32 ridge heads": Contender(_heads_ours, 3), "scikit-learn, 2 heads": Contender(_heads_sklearn, 1)},
        "32 heads in less time than 2 logistic regressions.",
        _slower("scikit-learn, 2 heads", 1),
    ),
}
