from collections.abc import Callable
from functools import partial

import pytest
import torch
from scipy.spatial import cKDTree
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from relviz.core.neighbours import nearest_by_cosine
from relviz.core.reductions import METRICS, PLACED_BY
from relviz.core.reductions.nearness import kept_neighbours, nearest_rows, neighbour_graph, rows_for
from relviz.core.reductions.pacmap_view import pacmap
from relviz.core.reductions.principal import pca
from relviz.core.reductions.tsne_view import tsne
from relviz.core.reductions.umap_view import umap
from relviz.errors import UnknownName


def test_pca_agrees_with_scikit_learn_up_to_sign() -> None:
    x = torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x * torch.linspace(3, 1, 10)
    expected = torch.from_numpy(PCA(2).fit_transform(x.numpy()))
    torch.testing.assert_close(pca(x).abs(), expected.abs(), atol=1e-9, rtol=0)
    solid = torch.from_numpy(PCA(3).fit_transform(x.numpy()))
    torch.testing.assert_close(pca(x, 3).abs(), solid.abs(), atol=1e-9, rtol=0)


def test_other_points_are_placed_on_the_components_or_found_among_the_rows() -> None:
    g = torch.Generator().manual_seed(0)
    x, others = (torch.randn(n, 10, generator=g, dtype=torch.float64) for n in (200, 7))
    expected = torch.from_numpy(PCA(2).fit(x.numpy()).transform(others.numpy()))
    torch.testing.assert_close(pca(x, others=others)[200:].abs(), expected.abs(), atol=1e-9, rtol=0)
    for metric in METRICS:
        near = NearestNeighbors(n_neighbors=PLACED_BY, metric=metric).fit(x.numpy()).kneighbors(others.numpy())[1]
        assert nearest_rows(others, x, metric).tolist() == near.tolist()
    assert nearest_rows(others, x[:3], "cosine").shape == (7, 3)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_pca_of_narrow_and_constant_spaces_is_finite(width: int) -> None:
    for x in (torch.ones(10, width), torch.arange(10.0)[:, None].expand(10, width)):
        assert pca(x).shape == (10, 2) and torch.isfinite(pca(x)).all()


def test_umap_is_seeded_and_keeps_more_neighbours_than_chance() -> None:
    g = torch.Generator().manual_seed(0)
    centres = torch.randn(8, 20, generator=g)
    x = centres[torch.arange(400) % 8] + 0.3 * torch.randn(400, 20, generator=g)
    graph = nearest_by_cosine(x, 15)
    first, again, other = (umap(*graph, pca(x), seed=seed) for seed in (0, 0, 1))
    assert first.equal(again) and not first.equal(other)
    assert kept_neighbours(x, first, 15).mean() > 5 * 15 / 399


@pytest.mark.parametrize("reduce", [tsne, partial(pacmap, neighbours=10)], ids=["tsne", "pacmap"])
def test_a_view_is_seeded_and_keeps_more_neighbours_than_chance(reduce: Callable[..., torch.Tensor]) -> None:
    g = torch.Generator().manual_seed(0)
    centres = torch.randn(4, 20, generator=g)
    x = centres[torch.arange(200) % 4] + 0.3 * torch.randn(200, 20, generator=g)
    first, again = (reduce(rows_for(x, "cosine"), pca(x), seed=0) for _ in range(2))
    assert first.equal(again)
    assert kept_neighbours(x, first, 15).mean() > 4 * 15 / 199


def test_a_graph_by_distance_is_scipys() -> None:
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)) + 3
    distances, neighbours = cKDTree(x.numpy()).query(x.numpy(), 6)
    found, similarities = neighbour_graph(x, 5, "euclidean")
    assert found.tolist() == neighbours[:, 1:].tolist()
    torch.testing.assert_close(1 - similarities.double(), torch.from_numpy(distances[:, 1:]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("metric", ["cosin", ""])
def test_an_unknown_metric_is_refused(metric: str) -> None:
    for made in (lambda x: neighbour_graph(x, 2, metric), lambda x: rows_for(x, metric)):
        with pytest.raises(UnknownName, match="metric"):
            made(torch.eye(4))
