"""Measures against independent oracles, and their laws."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

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


def test_debiased_cka_of_unrelated_spaces_is_near_zero_where_the_biased_is_not() -> None:
    g = torch.Generator().manual_seed(1)
    a, b = torch.randn(200, 100, generator=g), torch.randn(200, 100, generator=g)
    assert abs(value("cka-debiased", a, b)) < 0.02 < 0.2 < value("cka", a, b)


def test_unlike_widths_are_undefined_with_a_reason_not_an_error() -> None:
    found = measure_all(*spaces(e=4), k=5)
    for name, measure in MEASURES.items():
        assert (found[name].value is None) == measure.compares_vectors
        assert ("widths differ (9 and 4)" in (found[name].undefined or "")) == measure.compares_vectors


@pytest.mark.parametrize("k", [0, 120, 500])
def test_k_must_be_below_n(k: int) -> None:
    with pytest.raises(BadChoice, match=f"k = {k} is not between 1 and 119"):
        measure_all(*spaces(), k=k)


def test_unlike_numbers_of_samples_are_refused() -> None:
    a, b = spaces()
    with pytest.raises(BadChoice, match="120 and 100 samples"):
        measure_all(a, b[:100], k=5)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_samples_are_refused(n: int) -> None:
    with pytest.raises(BadChoice, match=f"^{n} samples are too few to measure"):
        measure_all(torch.ones(n, 3), torch.ones(n, 3), k=1)
