"""Distances against SciPy, the compiled kernels at every remainder of their tiles, and blocks."""

import threading

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import floyd_warshall
from scipy.spatial.distance import cdist
from torch import Tensor

from relviz.core.blocks import by_blocks
from relviz.core.distances import chebyshev, euclidean, manhattan, shortest_paths, straight
from relviz.core.values import checked
from relviz.errors import BadChoice

METRICS = {"euclidean": euclidean, "cityblock": manhattan, "chebyshev": chebyshev}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled kernels for any size that they can take."""
    monkeypatch.setattr(straight, "_COMPILED_FROM", 0)
    monkeypatch.setattr(straight, "_PRODUCT_FROM", 0)


@pytest.mark.parametrize("metric", METRICS)
def test_double_precision_agrees_with_scipy(metric: str) -> None:
    x, y = normal(50, 7) + 100, normal(20, 7, seed=1) + 100
    expected = torch.from_numpy(cdist(x.numpy(), y.numpy(), metric))
    torch.testing.assert_close(METRICS[metric](x, y), expected, atol=1e-10, rtol=0)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 9, 13, 41])
@pytest.mark.parametrize("d", [1, 3, 16, 67])
def test_single_precision_agrees_with_scipy_at_every_remainder(metric: str, n: int, d: int) -> None:
    x, y = normal(n, d), normal(5, d, seed=1)
    expected = torch.from_numpy(cdist(x.float().double().numpy(), y.float().double().numpy(), metric))
    torch.testing.assert_close(METRICS[metric](x.float(), y.float()).double(), expected, rtol=1e-5, atol=1e-6)


def test_large_products_are_compiled_and_small_ones_and_others_are_not() -> None:
    x, y = torch.zeros(512, 128), torch.zeros(256, 128)
    least = 512 * 128 * 256
    assert straight._is_compiled(x, y, least)
    assert not straight._is_compiled(x[:511], y, least)
    assert not straight._is_compiled(x.double(), y.double(), least)
    assert not straight._is_compiled(x.clone().requires_grad_(), y, least)
    assert not straight._is_compiled(x.to("meta"), y.to("meta"), least)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("threads", [1, 2, 3, 64])
def test_threads_change_no_bit(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(103, 33).float(), normal(6, 33, seed=1).float()
    expected = [metric(x, y) for metric in METRICS.values()]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert all(metric(x, y).equal(one) for metric, one in zip(METRICS.values(), expected, strict=True))


@pytest.mark.usefixtures("compiled")
def test_sessions_may_measure_at_once() -> None:
    x, y = normal(200, 33).float(), normal(6, 33, seed=1).float()
    expected, found = manhattan(x, y), []
    sessions = [threading.Thread(target=lambda: found.append(manhattan(x, y))) for _ in range(8)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert len(found) == 8 and all(one.equal(expected) for one in found)


@pytest.mark.usefixtures("compiled")
def test_compiled_kernels_take_views() -> None:
    x, y = normal(33, 40).float().T, normal(33, 12, seed=1).float().T[::2]
    torch.testing.assert_close(manhattan(x, y), torch.cdist(x, y, p=1.0))
    torch.testing.assert_close(euclidean(x, y), torch.cdist(x, y))


@pytest.mark.parametrize("compiled_from", [0, 2**62])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_near_vectors_keep_their_digits(
    dtype: torch.dtype, compiled_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(straight, "_PRODUCT_FROM", compiled_from)
    y = (normal(30, 64) + 50).to(dtype)
    x = y + 1e-2 * normal(30, 64, seed=1).to(dtype)
    expected = torch.from_numpy(cdist(x.double().numpy(), y.double().numpy()))
    torch.testing.assert_close(euclidean(x, y).double(), expected, rtol=1e-4, atol=0)
    assert (euclidean(y, y).diagonal() == 0).all()


@pytest.mark.parametrize("compiled_from", [0, 2**62])
def test_nearly_all_vectors_near(compiled_from: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "_PRODUCT_FROM", compiled_from)
    y = 50 + 1e-3 * normal(40, 8).float()
    far = torch.full((1, 8), -50.0)
    y = torch.cat([y, far])
    expected = torch.from_numpy(cdist(y.double().numpy(), y.double().numpy()))
    torch.testing.assert_close(euclidean(y, y).double(), expected, rtol=1e-4, atol=1e-9)


def test_blocks_join_seamlessly_and_hold_no_more_than_the_budget() -> None:
    x, sizes = normal(23, 3), []
    found = by_blocks(lambda rows: sizes.append(len(rows)) or rows * 2, x, columns=10, memory=400)
    assert found.equal(2 * x)
    assert sizes == [5, 5, 5, 5, 3]  # 5 rows of 10 values of 8 bytes are 400 bytes


def test_checked_tells_the_largest_value_and_refuses_what_is_not_finite() -> None:
    assert checked(torch.tensor([[-7.0, 3.0]]), "values") == 7.0
    assert checked(torch.zeros(0, 3), "values") == 0.0
    for bad in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(BadChoice, match="The values hold"):
            checked(torch.tensor([[0.0, bad]]), "values")


def naive_paths(x: np.ndarray, y: np.ndarray, neighbours: int) -> np.ndarray:
    """All shortest paths by Floyd and Warshall, the graph edge by edge."""
    points = np.concatenate([x, y])
    straight = cdist(points, points)
    edges = np.full_like(straight, np.inf)
    for i, row in enumerate(straight):
        others = [j for j in np.argsort(row, kind="stable") if j != i]
        for j in others[:neighbours]:
            edges[i, j] = edges[j, i] = row[j]
    return floyd_warshall(np.ma.masked_invalid(edges))[: len(x), len(x) :]


def test_shortest_paths_agree_with_floyd_and_warshall() -> None:
    x, y = normal(40, 3), normal(7, 3, seed=1)
    expected = torch.from_numpy(naive_paths(x.numpy(), y.numpy(), 4))
    assert torch.isfinite(expected).all()
    found = shortest_paths(x, y, neighbours=4)
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)
    assert (found > euclidean(x, y) + 0.01).any()


def test_paths_run_over_edges_of_length_zero() -> None:
    x = torch.tensor([[0.0], [0.0], [1.0], [2.0]])
    assert shortest_paths(x, torch.tensor([[0.0]]), neighbours=2).squeeze(1).tolist() == [0.0, 0.0, 1.0, 2.0]


def test_an_anchor_out_of_reach_is_as_far_as_the_longest_distance() -> None:
    x = torch.tensor([[0.0], [1.0], [100.0], [101.0]])
    found = shortest_paths(x, torch.tensor([[2.0]]), neighbours=1).squeeze(1)
    assert found.tolist() == [2.0, 1.0, 99.0, 99.0]
