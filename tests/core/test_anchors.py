import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from relviz.core.anchors import STRATEGIES, select_anchors
from relviz.core.anchors.ids import explicit_anchors, parallel_anchors, parse_anchor_ids
from relviz.errors import BadChoice, RelvizError, UnknownName
from relviz.laws.anchors import FREQUENCIES, LABELS, LAWS, VECTORS, select


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("law", LAWS)
def test_every_law_holds(law: str, strategy: str) -> None:
    outcome = LAWS[law](strategy)
    assert outcome.kept, outcome.told


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "density"])
def test_another_seed_gives_other_anchors(strategy: str) -> None:
    assert not select(strategy, 50, seed=0).equal(select(strategy, 50, seed=1))


def test_class_balanced_counts_differ_by_at_most_one() -> None:
    labels = torch.tensor([0] * 500 + [1] * 30 + [2] * 400)
    counts = torch.bincount(labels[select_anchors(labels, strategy="class-balanced", count=50, seed=0)])
    assert counts.max() - counts.min() <= 1


def test_class_balanced_goes_on_when_a_class_runs_out() -> None:
    labels = torch.tensor([0] * 50 + [1] * 2)
    counts = torch.bincount(labels[select_anchors(labels, strategy="class-balanced", count=30, seed=0)])
    assert counts.tolist() == [28, 2]


def inertia(rows: Tensor) -> float:
    """Mean squared distance of unit vectors to their nearest chosen one."""
    unit = torch.nn.functional.normalize(VECTORS)
    return float(torch.cdist(unit, unit[rows]).amin(1).square().mean())


def test_k_means_anchors_serve_as_well_as_those_of_scikit_learn() -> None:
    unit = torch.nn.functional.normalize(VECTORS).numpy()
    fitted = KMeans(20, n_init=1, random_state=0).fit(unit)
    finder = NearestNeighbors(n_neighbors=1).fit(unit)
    peer = torch.from_numpy(finder.kneighbors(fitted.cluster_centers_, return_distance=False)[:, 0])
    assert inertia(select("k-means", 20)) < 1.05 * inertia(peer)
    assert inertia(select("k-means", 20)) < 0.95 * inertia(select("uniform", 20))


@pytest.mark.parametrize("d", [4, 8, 16])
def test_k_means_starts_apart(d: int) -> None:
    """Many far clusters of unlike size: random starts share the large ones and leave small ones without a centre."""
    g = torch.Generator().manual_seed(d)
    directions = torch.randn(10, d, generator=g)
    cluster = torch.arange(10).repeat_interleave(torch.tensor([400, 300, 200, 50, 10, 10, 10, 10, 5, 5]))
    vectors = 10 * directions[cluster] + 0.1 * torch.randn(1000, d, generator=g)
    found = [len(cluster[select("k-means", 10, seed=seed, vectors=vectors)].unique()) for seed in range(10)]
    assert sum(found) >= 95


@pytest.mark.parametrize("seed", range(5))
def test_of_equally_near_samples_the_first_becomes_the_anchor(seed: int) -> None:
    vectors = VECTORS[:20]
    turned = (vectors.double() * 0.3).float()  # the same but for rounding
    assert select("k-means", 12, seed=seed, vectors=vectors).equal(select("k-means", 12, seed=seed, vectors=turned))


def test_k_means_finds_separate_clusters() -> None:
    centres = torch.eye(8)[:4].repeat_interleave(100, 0)
    vectors = centres + 0.02 * VECTORS[:400]
    rows = torch.cat([select("k-means", 4, seed=seed, vectors=vectors) for seed in range(5)])
    # Lloyd may leave two centres in one cluster; from ten random starts not in all of them.
    found = [len({int(row) // 100 for row in part}) for part in rows.split(4)]
    assert max(found) == 4


def naive_farthest(x: Tensor, first: int, count: int) -> list[int]:
    unit, rows = torch.nn.functional.normalize(x.double()), [first]
    while len(rows) < count:
        distances = [min(float((row - unit[chosen]).norm()) for chosen in rows) for row in unit]
        rows.append(max(range(len(unit)), key=distances.__getitem__))
    return rows


def test_farthest_point_is_the_greedy_rule() -> None:
    rows = select("farthest-point", 12, vectors=VECTORS[:80]).tolist()
    assert rows == naive_farthest(VECTORS[:80], rows[0], 12)


def test_frequent_anchors_come_from_the_most_frequent_rows_only() -> None:
    rows = select("frequent", 50, pool=60)
    assert rows.max() < 60  # frequencies fall with the row
    assert rows.sort().values.tolist() != list(range(50))
    assert select("frequent", 50, pool=1).sort().values.tolist() == list(range(50))


def test_density_takes_the_most_typical_first_and_no_neighbour_of_it_next() -> None:
    unit = torch.nn.functional.normalize(VECTORS.double())
    distances, nearest = NearestNeighbors(n_neighbors=6, metric="cosine").fit(unit.numpy()).kneighbors(unit.numpy())
    rows = select("density", 40, neighbours=5).tolist()
    assert rows[0] == int(distances[:, 1:].mean(1).argmin())
    for place, row in enumerate(rows):
        assert not {row} & {near for earlier in rows[:place] for near in nearest[earlier, 1:]}


def test_density_goes_on_when_all_are_passed_over() -> None:
    rows = select("density", 20, vectors=VECTORS[:20], neighbours=19)
    assert sorted(rows.tolist()) == list(range(20))


@pytest.mark.parametrize("factor", [1e30, 1e-30])
@pytest.mark.parametrize("strategy", ["k-means", "farthest-point", "density"])
def test_the_size_of_vectors_plays_no_part(strategy: str, factor: float) -> None:
    vectors = VECTORS[:100]
    assert select(strategy, 10, vectors=vectors).equal(
        select(strategy, 10, vectors=(factor * vectors.double()).float())
    )


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_impossible_counts_are_refused_with_the_limit(count: int) -> None:
    with pytest.raises(BadChoice, match="Choose at"):
        select_anchors(LABELS, strategy="uniform", count=count, seed=0)


def test_a_negative_seed_and_unknown_names_are_refused() -> None:
    with pytest.raises(BadChoice, match="seed -1"):
        select_anchors(LABELS, strategy="uniform", count=5, seed=-1)
    with pytest.raises(UnknownName, match="Did you mean 'uniform'"):
        select_anchors(LABELS, strategy="unifrom", count=5, seed=0)
    with pytest.raises(UnknownName, match="Did you mean 'pool'"):
        select("frequent", 5, pol=3)
    with pytest.raises(BadChoice, match="pool = 0 is out of range"):
        select("frequent", 5, pool=0)


@pytest.mark.parametrize("strategy", [name for name, entry in STRATEGIES.items() if entry.needs])
def test_what_a_strategy_needs_and_lacks_is_named(strategy: str) -> None:
    (need,) = STRATEGIES[strategy].needs
    have = {"vectors": VECTORS, "frequencies": FREQUENCIES}
    have.pop(need, None)
    with pytest.raises(BadChoice, match=f"needs {need}"):
        select_anchors(None if need == "labels" else LABELS, strategy=strategy, count=5, seed=0, **have)


def test_spoilt_galleries_are_refused() -> None:
    spoilt = VECTORS.clone()
    spoilt[3, 3] = float("nan")
    with pytest.raises(BadChoice, match="vectors hold values that are not finite"):
        select("k-means", 5, vectors=spoilt)
    with pytest.raises(BadChoice, match="1000 labels, 10 vectors"):
        select_anchors(LABELS, strategy="uniform", count=5, seed=0, vectors=VECTORS[:10])


def test_ids_are_read_from_lines_and_between_commas() -> None:
    assert parse_anchor_ids("3\r\n\n w5 , 7,\n0") == ["3", "w5", "7", "0"]


def test_a_text_without_ids_is_refused() -> None:
    with pytest.raises(BadChoice, match="names no anchors"):
        parse_anchor_ids(" \n,\n")


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ([], "No anchors are named"),
        (["v"], "The gallery has no sample 'v'. Name samples of the gallery, such as 'a'"),
        (["a", "c", "a"], "'a' appears twice among the anchors"),
    ],
)
def test_impossible_ids_are_refused(ids: list[str], sentence: str) -> None:
    with pytest.raises(BadChoice, match=sentence):
        explicit_anchors(ids, ["a", "b", "c"])


def test_anchors_chosen_by_hand_keep_their_order() -> None:
    assert explicit_anchors(["e", "a", "c"], ["a", "b", "c", "d", "e"]).tolist() == [4, 0, 2]


def test_parallel_anchors_are_the_same_items_in_both() -> None:
    ids_a, ids_b = [f"w{i}" for i in range(100)], [f"w{i}" for i in range(199, 49, -1)]
    rows_a, rows_b = parallel_anchors(ids_a, ids_b, 30, seed=0)
    assert [ids_a[row] for row in rows_a] == [ids_b[row] for row in rows_b]
    assert len(set(rows_a.tolist())) == 30 and rows_a.min() >= 50
    assert not rows_a.equal(parallel_anchors(ids_a, ids_b, 30, seed=1)[0])


@pytest.mark.parametrize(
    ("ids_a", "ids_b", "count", "sentence"),
    [
        (["a", "a"], ["a"], 1, "'a' appears twice among the ids of A"),
        (["a"], ["b", "a", "b"], 1, "'b' appears twice among the ids of B"),
        (["a"], ["b"], 1, "no id in common"),
        (["a", "b"], ["b", "a"], 3, "more than the 2 ids in common"),
    ],
)
def test_impossible_parallel_anchors_are_refused(ids_a: list[str], ids_b: list[str], count: int, sentence: str) -> None:
    with pytest.raises(RelvizError, match=sentence):
        parallel_anchors(ids_a, ids_b, count, seed=0)
