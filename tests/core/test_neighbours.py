import torch
from sklearn.neighbors import NearestNeighbors

from relviz.core.neighbours import kept_share, nearest_by_cosine, nearest_by_distance, search


def space(n: int = 300) -> torch.Tensor:
    return torch.randn(n, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def oracle(x: torch.Tensor, k: int, metric: str) -> torch.Tensor:
    found = (
        NearestNeighbors(n_neighbors=k + 1, metric=metric, algorithm="brute").fit(x.numpy()).kneighbors(x.numpy())[1]
    )
    return torch.from_numpy(found[:, 1:])


def test_neighbours_agree_with_scikit_learn() -> None:
    x = space()
    assert nearest_by_cosine(x, 10)[0].equal(oracle(x, 10, "cosine"))
    assert nearest_by_distance(x, 10).equal(oracle(x, 10, "euclidean"))


def test_neighbours_do_not_depend_on_the_block_size(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    x = space()
    whole = nearest_by_cosine(x, 10)[0]
    monkeypatch.setattr(search, "BLOCK", 7)
    assert nearest_by_cosine(x, 10)[0].equal(whole)


def test_kept_share_of_a_random_map_is_near_chance() -> None:
    x = space(1000)
    view = torch.randn(1000, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    kept = kept_share(nearest_by_cosine(x, 15)[0], nearest_by_distance(view, 15)).mean()
    chance = 15 / 999
    # 1000 lists of 15 draws: three standard errors of the mean are about 0.003
    assert abs(float(kept) - chance) < 0.004
