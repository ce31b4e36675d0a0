"""Measures against independent oracles, and their laws."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from relviz.core import neighbours
from relviz.core.measures import MEASURES, Pair, measure_all
from relviz.errors import BadChoice


def spaces(n: int = 120, d: int = 9, e: int = 9) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(n, d, generator=g, dtype=torch.float64)
    mixed = a @ torch.randn(d, e, generator=g, dtype=torch.float64)
    return a, mixed + torch.randn(n, e, generator=g, dtype=torch.float64)


def value(name: str, a: Tensor, b: Tensor, k: int = 5) -> float:
    found = MEASURES[name](Pair(a, b, k=k))
    assert found.value is not None, found.undefined
    return found.value


def gram_cka(a: Tensor, b: Tensor) -> float:
    """Biased CKA from centred n x n Gram matrices, the textbook form."""
    n = len(a)
    centring = np.eye(n) - 1 / n
    k, m = (centring @ (z.numpy() @ z.numpy().T) @ centring for z in (a, b))
    return float((k * m).sum() / math.sqrt((k * k).sum() * (m * m).sum()))


def gram_unbiased_hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. 2012, equation 5, term by term."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    sums = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
    return float(sums / (n * (n - 3)))


def naive_retrieval(a: Tensor, b: Tensor, k: int) -> tuple[float, float]:
    """Jaccard@k and MRR@k by a double loop over plain Python sets."""
    to_b, own = cdist(a, b, "cosine"), cdist(b, b, "cosine")
    jaccard, reciprocal = [], []
    for i in range(len(a)):
        found, target = np.argsort(to_b[i], kind="stable")[:k].tolist(), np.argsort(own[i], kind="stable")[:k].tolist()
        jaccard.append(len(set(found) & set(target)) / len(set(found) | set(target)))
        reciprocal.append(1 / (found.index(i) + 1) if i in found else 0.0)
    return float(np.mean(jaccard)), float(np.mean(reciprocal))


@pytest.mark.parametrize("e", [9, 4, 200])
def test_cka_agrees_with_the_gram_form(e: int) -> None:
    a, b = spaces(e=e)
    assert value("cka", a, b) == pytest.approx(gram_cka(a, b), abs=1e-9)


@pytest.mark.parametrize("e", [9, 4, 200])
def test_debiased_cka_agrees_with_the_gram_form(e: int) -> None:
    a, b = spaces(e=e)
    k, m = a.numpy() @ a.numpy().T, b.numpy() @ b.numpy().T
    expected = gram_unbiased_hsic(k, m) / math.sqrt(gram_unbiased_hsic(k, k) * gram_unbiased_hsic(m, m))
    assert value("cka-debiased", a, b) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("k", [1, 5, 119])
def test_retrieval_agrees_with_a_double_loop(k: int) -> None:
    a, b = spaces()
    jaccard, mrr = naive_retrieval(a, b, k)
    assert value("jaccard", a, b, k) == pytest.approx(jaccard, abs=1e-9)
    assert value("mrr", a, b, k) == pytest.approx(mrr, abs=1e-9)


def test_mean_cosine_agrees_with_scipy() -> None:
    a, b = spaces()
    expected = 1 - np.mean([cdist(a[i : i + 1], b[i : i + 1], "cosine")[0, 0] for i in range(len(a))])
    assert value("cosine", a, b) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_a_space_with_itself_gives_one(name: str) -> None:
    a, _ = spaces()
    assert value(name, a, a) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_row_order_and_block_size_do_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = spaces()
    expected = value(name, a, b)
    order = torch.randperm(len(a), generator=torch.Generator().manual_seed(2))
    assert value(name, a[order], b[order]) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(neighbours, "BLOCK", 7)
    assert value(name, a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, measure in MEASURES.items() if not measure.directed])
def test_undirected_measures_are_symmetric(name: str) -> None:
    a, b = spaces()
    assert value(name, a, b) == pytest.approx(value(name, b, a), abs=1e-12)


def test_debiased_cka_of_unrelated_spaces_is_near_zero_where_the_biased_is_not() -> None:
    g = torch.Generator().manual_seed(1)
    a, b = torch.randn(200, 100, generator=g), torch.randn(200, 100, generator=g)
    assert abs(value("cka-debiased", a, b)) < 0.02 < 0.2 < value("cka", a, b)


def test_unlike_widths_are_undefined_with_a_reason_not_an_error() -> None:
    found = measure_all(*spaces(e=4), k=5)
    for name, measure in MEASURES.items():
        assert (found[name].value is None) == measure.compares_vectors
        assert ("widths differ (9 and 4)" in (found[name].undefined or "")) == measure.compares_vectors


EDGES = {
    "constant": torch.ones(20, 3),
    "zeros": torch.zeros(20, 3),
    "one duplicate": torch.cat([torch.zeros(19, 3), torch.ones(1, 3)]),
    "nan": torch.full((20, 3), torch.nan),
    "infinite": torch.full((20, 3), torch.inf),
    "huge": 1e30 * torch.randn(20, 3, generator=torch.Generator().manual_seed(0)),
    "tiny": 1e-30 * torch.randn(20, 3, generator=torch.Generator().manual_seed(0)),
    "three samples": torch.randn(3, 2, generator=torch.Generator().manual_seed(0)),
    "two samples": torch.randn(2, 2, generator=torch.Generator().manual_seed(0)),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edge_inputs_give_a_number_in_range_or_a_reason(edge: str) -> None:
    x = EDGES[edge]
    for name, found in measure_all(x, x.flip(0), k=1).items():
        if found.value is None:
            assert found.undefined
        else:
            assert MEASURES[name].low <= found.value <= MEASURES[name].high, name


@pytest.mark.parametrize("k", [0, 120, 500])
def test_k_must_be_below_n(k: int) -> None:
    with pytest.raises(BadChoice, match=f"k = {k} is not between 1 and 119"):
        measure_all(*spaces(), k=k)


def test_unlike_numbers_of_samples_are_refused() -> None:
    a, b = spaces()
    with pytest.raises(BadChoice, match="120 and 100 samples"):
        measure_all(a, b[:100], k=5)
