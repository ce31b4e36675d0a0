import pytest
import torch
from sklearn.decomposition import PCA

from relviz.core.neighbours import nearest_by_cosine
from relviz.core.reduction import kept_neighbours, pca, umap


def test_pca_agrees_with_scikit_learn_up_to_sign() -> None:
    x = torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x * torch.linspace(3, 1, 10)
    expected = torch.from_numpy(PCA(2).fit_transform(x.numpy()))
    torch.testing.assert_close(pca(x).abs(), expected.abs(), atol=1e-9, rtol=0)


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
