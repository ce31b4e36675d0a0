"""Measures against other libraries and naive loops, in float64 to 1e-6 or better."""

import warnings
from types import ModuleType

import numpy as np
import pytest
import repsim
import scipy.spatial
import scipy.stats
import torch
from scipy.spatial.distance import pdist, squareform
from sklearn.cross_decomposition import CCA
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from relviz.core.measures import MEASURES, Pair, Space
from relviz.core.measures.alignment import rbf_cka
from relviz.core.measures.canonical import svcca
from relviz.core.measures.local import local_agreement
from relviz.core.measures.space import sample_rows


def spaces(n: int = 120, d: int = 9, e: int = 6) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(n, d, generator=g, dtype=torch.float64) * torch.linspace(2, 0.05, d, dtype=torch.float64)
    b = a @ torch.randn(d, e, generator=g, dtype=torch.float64)
    return a, b + 0.5 * torch.randn(n, e, generator=g, dtype=torch.float64)


def value(name: str, a: Tensor, b: Tensor, k: int = 5) -> float:
    found = MEASURES[name](Pair(a, b, k=k))
    assert found.value is not None, found.undefined
    return found.value


@pytest.fixture(scope="module")
def latentis_cka() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import latentis.measure.cka as module
    return module


@pytest.mark.parametrize(("name", "mode"), [("cka", "LINEAR"), ("cka-rbf", "RBF")])
@pytest.mark.parametrize("e", [6, 200])
def test_cka_agrees_with_latentis(name: str, mode: str, e: int, latentis_cka: ModuleType) -> None:
    a, b = spaces(e=e)
    expected = latentis_cka.CKA(mode=latentis_cka.CKAMode[mode])(a, b)
    assert value(name, a, b) == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.parametrize("bandwidth", [0.2, 3.0])
def test_rbf_cka_of_a_chosen_bandwidth_agrees_with_latentis(bandwidth: float, latentis_cka: ModuleType) -> None:
    def median(x: Tensor) -> float:
        return float(np.median(np.sort(pdist(x))[:-1]))  # of an even count the lower of the two in the middle

    a = spaces()[0]
    b = a.pow(3)
    b *= median(a) / median(b)  # latentis takes one width for both
    expected = latentis_cka.cka(a, b, hsic=latentis_cka.kernel_hsic, sigma=bandwidth * median(a))
    assert rbf_cka(Pair(a, b, k=1), bandwidth=bandwidth).value == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.parametrize(("name", "estimator"), [("cka", "gretton"), ("cka-debiased", "song")])
def test_linear_cka_agrees_with_the_hsic_of_repsim(name: str, estimator: str) -> None:
    a, b = spaces()
    hsic = repsim.hsic([a.numpy(), b.numpy()], "linear", estimator)  # its own cka divides by another estimator's
    assert value(name, a, b) == pytest.approx(hsic[0, 1] / np.sqrt(hsic[0, 0] * hsic[1, 1]), abs=1e-9)


def test_debiased_rbf_cka_agrees_with_the_sums_written_out() -> None:
    a, b = spaces()
    kernels = []
    for x in (a, b):
        squares = pdist(x, "sqeuclidean")
        kernel = squareform(
            np.exp(-squares / (2 * np.median(np.sort(squares)[:-1])))
        )  # the lower median of an even count
        kernels.append(kernel)
    n, one = len(a), np.ones(len(a))

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
        return float(np.trace(k @ m) + sums)

    k, m = kernels
    assert value("cka-rbf-debiased", a, b) == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)), abs=1e-9)


def canonical(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations and canonical variables of a, from singular vectors of the centred data."""
    u, v = (np.linalg.svd(x - x.mean(0), full_matrices=False)[0] for x in (a, b))
    left, correlations, _ = np.linalg.svd(u.T @ v, full_matrices=False)
    return correlations, u @ left


@pytest.mark.parametrize("keep", [0.9, 0.99, 1.0])
def test_svcca_agrees_with_singular_vectors_of_the_data(keep: float) -> None:
    parts = []
    for x in (z.numpy() - z.numpy().mean(0) for z in spaces()):
        u, s, _ = np.linalg.svd(x, full_matrices=False)
        share = np.cumsum(s**2) / np.sum(s**2)
        parts.append(u[:, : next(i for i in range(len(s)) if share[i] >= keep - 1e-12) + 1])
    expected = np.linalg.svd(parts[0].T @ parts[1], compute_uv=False).mean()
    assert svcca(Pair(*spaces(), k=1), keep=keep).value == pytest.approx(expected, abs=1e-9)


def test_canonical_correlations_agree_with_scikit_learn() -> None:
    a, b = spaces(e=2)
    model = CCA(n_components=2, tol=1e-12, max_iter=10_000).fit(a.numpy(), b.numpy())
    u, v = model.transform(a.numpy(), b.numpy())
    expected = np.mean([np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(2)])
    assert svcca(Pair(a, b, k=1), keep=1.0).value == pytest.approx(expected, abs=1e-6)


def test_pwcca_agrees_with_repsim_which_averages_both_directions() -> None:
    a, b = spaces()
    expected = repsim.pwcca([a.numpy(), b.numpy()])[0, 1]
    assert (value("pwcca", a, b) + value("pwcca", b, a)) / 2 == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("e", [6, 30])
def test_pwcca_agrees_with_its_definition(e: int) -> None:
    a, b = (z.numpy() for z in spaces(e=e))
    correlations, variables = canonical(a, b)
    weights = [sum(abs(h @ (a[:, j] - a[:, j].mean())) for j in range(a.shape[1])) for h in variables.T]
    expected = np.average(correlations, weights=weights)
    assert value("pwcca", *spaces(e=e)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("e", [6, 9])
def test_procrustes_agrees_with_scipy(e: int) -> None:
    a, b = spaces(e=e)
    padded = np.pad(b.numpy(), ((0, 0), (0, 9 - e)))
    disparity = scipy.spatial.procrustes(a.numpy(), padded)[2]  # 1 - (1 - distance)^2, as it also fits the scale
    assert value("procrustes", a, b) == pytest.approx(1 - np.sqrt(1 - disparity), abs=1e-9)


def test_rsa_agrees_with_scipy() -> None:
    a, b = spaces()
    assert value("rsa", a, b) == pytest.approx(scipy.stats.spearmanr(pdist(a), pdist(b)).statistic, abs=1e-9)


def test_rsa_shares_ranks_among_equal_distances_as_scipy_does() -> None:
    g = torch.Generator().manual_seed(3)
    a, b = (torch.randint(0, 3, (60, 4), generator=g).double() for _ in range(2))
    expected = scipy.stats.spearmanr(pdist(a, "sqeuclidean"), pdist(b, "sqeuclidean")).statistic
    assert value("rsa", a, b) == pytest.approx(expected, abs=1e-9)


def test_rsa_above_its_sample_is_that_of_the_sample_and_says_so() -> None:
    a, b = spaces(n=2300)
    rows = sample_rows(2300)
    assert len(rows) == len(rows.unique()) == 2000
    found = MEASURES["rsa"](Pair(a, b, k=1))
    expected = scipy.stats.spearmanr(pdist(a[rows]), pdist(b[rows])).statistic
    assert (found.n, found.value) == (2000, pytest.approx(expected, abs=1e-9))


def lists(x: Tensor, k: int) -> list[set[int]]:
    model = NearestNeighbors(n_neighbors=k + 1, metric="cosine", algorithm="brute").fit(x.numpy())
    return [set(row.tolist()) - {i} for i, row in enumerate(model.kneighbors(x.numpy())[1])]


@pytest.mark.parametrize("k", [1, 5, 119])
def test_shared_neighbours_agree_with_sets_from_scikit_learn(k: int) -> None:
    a, b = spaces()
    pairs = list(zip(lists(a, k), lists(b, k), strict=True))
    jaccard = [len(s & t) / len(s | t) for s, t in pairs]
    assert value("mutual-knn", a, b, k) == pytest.approx(np.mean([len(s & t) / k for s, t in pairs]), abs=1e-12)
    assert value("neighbour-jaccard", a, b, k) == pytest.approx(np.mean(jaccard), abs=1e-12)
    assert local_agreement(a, b, k=k).tolist() == pytest.approx(jaccard, abs=1e-12)


def test_full_ranking_agrees_with_a_sort() -> None:
    a, b = spaces(e=9)
    scores = scipy.spatial.distance.cdist(a, b, "cosine")
    ranks = [1 + np.argsort(row, kind="stable").tolist().index(i) for i, row in enumerate(scores)]
    assert value("mrr-full", a, b) == pytest.approx(np.mean(1 / np.array(ranks)), abs=1e-12)


def test_of_equal_scores_the_earlier_row_ranks_first_and_the_sample_before_its_copies() -> None:
    a = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert value("mrr-full", a, a, 1) == 1
    b = torch.tensor([[2.0, 1.0], [2.0, 0.9], [2.0, 0.8], [0.0, 1.0]])
    assert value("mrr-full", b, a, 1) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1) / 4)


def test_more_copies_of_a_row_than_neighbours_never_list_the_row_itself() -> None:
    found = Space(torch.ones(7, 2)).neighbours(3)
    assert found.shape == (7, 3)
    assert not (found == torch.arange(7)[:, None]).any()
    assert all(len(set(row)) == 3 for row in found.tolist())
