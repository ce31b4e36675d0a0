import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import entropy
from sklearn.metrics.pairwise import cosine_distances, cosine_similarity

from relviz.core.anchors import diagnostics
from relviz.core.anchors.diagnostics import condition_number, coverage, effective_rank, influence, redundancy
from relviz.core.measures import MEASURES, Pair
from relviz.errors import BadChoice, UnknownName

X = torch.randn(120, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.4
ANCHORS = X[:15] + 0.1

EDGES = {
    "one": X[:1],
    "zero": torch.zeros(4, 9),
    "equal": torch.ones(4, 9),
    "huge": 1e30 * X[:5].float(),
    "tiny": 1e-40 * X[:5].float(),
    "huge double": 1e300 * X[:5],
    "tiny double": 1e-310 * X[:5],
    "one feature": X[:5, :1],
    "half": X[:5].half(),
}


@pytest.mark.parametrize(("distance", "oracle"), [("cosine", cosine_distances), ("euclidean", cdist)])
def test_coverage_agrees_with_all_distances(distance: str, oracle) -> None:  # type: ignore[no-untyped-def]
    expected = oracle(X.numpy(), ANCHORS.numpy()).min(1)
    found = coverage(X, ANCHORS, distance=distance)
    np.testing.assert_allclose(found.distances.numpy(), expected, atol=1e-12)
    told = [found.mean, found.median, found.radius]
    np.testing.assert_allclose(told, [expected.mean(), np.median(expected), expected.max()], atol=1e-12)


def test_coverage_holds_one_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, sizes, by_blocks = coverage(X, ANCHORS), [], diagnostics.by_blocks

    def small(function, x, *, columns):  # type: ignore[no-untyped-def]
        return by_blocks(lambda rows: sizes.append(len(rows)) or function(rows), x, columns=columns, memory=2000)

    monkeypatch.setattr(diagnostics, "by_blocks", small)
    torch.testing.assert_close(coverage(X, ANCHORS).distances, whole.distances)
    assert max(sizes) == 2000 // 8 // (9 + 15)


def test_more_anchors_cover_better_and_anchors_cover_themselves() -> None:
    assert coverage(X, X[:60]).mean < coverage(X, X[:6]).mean
    assert coverage(X[:6], X[:6], distance="euclidean").radius == 0.0


def test_effective_rank_agrees_with_numpy() -> None:
    strengths = np.linalg.svd(ANCHORS.numpy(), compute_uv=False)
    assert effective_rank(ANCHORS).value == pytest.approx(np.exp(entropy(strengths)), abs=1e-9)


def test_effective_rank_counts_equal_directions() -> None:
    rotation = torch.linalg.qr(X[:9]).Q
    assert effective_rank(7 * rotation[:5]).value == pytest.approx(5, abs=1e-9)
    assert effective_rank(rotation[:1].repeat(5, 1)).value == pytest.approx(1, abs=1e-9)


def test_condition_number_agrees_with_numpy_and_passes_over_zeros() -> None:
    assert condition_number(ANCHORS).value == pytest.approx(np.linalg.cond(ANCHORS.numpy()), rel=1e-9)
    twice = torch.cat([ANCHORS[:4], ANCHORS[:4]])
    expected = np.linalg.cond(ANCHORS[:4].numpy())
    assert condition_number(twice).value == pytest.approx(expected, rel=1e-9)
    assert condition_number(twice.float()).value == pytest.approx(expected, rel=1e-4)


def test_redundancy_agrees_with_scikit_learn() -> None:
    similarities = cosine_similarity(ANCHORS.numpy())
    np.fill_diagonal(similarities, -2)
    assert redundancy(ANCHORS).value == pytest.approx(similarities.max(1).mean(), abs=1e-12)
    assert redundancy(torch.cat([ANCHORS, 2 * ANCHORS])).value == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("edge", EDGES)
def test_edges_give_a_finite_value_in_range_or_a_reason(edge: str) -> None:
    anchors = EDGES[edge]
    k, d = anchors.shape
    ranges = {effective_rank: (1, min(k, d)), condition_number: (1, np.inf), redundancy: (-1, 1)}
    for diagnose, (low, high) in ranges.items():
        found = diagnose(anchors)
        assert (found.value is None) == bool(found.undefined)
        assert found.value is None or (np.isfinite(found.value) and low <= found.value <= high + 1e-9)
    for distance in ("cosine", "euclidean"):
        assert torch.isfinite(coverage(anchors, anchors[:1], distance=distance).distances).all()


def test_undefined_diagnostics_say_why() -> None:
    assert effective_rank(torch.zeros(3, 2)).undefined == "all anchors are zero vectors"
    assert condition_number(torch.zeros(3, 2)).undefined == "all anchors are zero vectors"
    assert redundancy(X[:1]).undefined == "redundancy needs at least 2 anchors"


def test_bad_choices_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'cosine'"):
        coverage(X, ANCHORS, distance="cosin")
    with pytest.raises(BadChoice, match="no samples"):
        coverage(X[:0], ANCHORS)
    for diagnose in (effective_rank, condition_number, redundancy):
        with pytest.raises(BadChoice, match="no anchors"):
            diagnose(ANCHORS[:0])
        with pytest.raises(BadChoice, match="not finite"):
            diagnose(ANCHORS / 0)
    with pytest.raises(BadChoice, match="120 x 9 and 15 x 9"):
        influence(X, ANCHORS)


def cka(a: torch.Tensor, b: torch.Tensor) -> float:
    return MEASURES["cka"](Pair(a, b, k=1)).value or 0.0


@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e150])
def test_influence_is_the_similarity_lost_without_each_anchor(scale: float) -> None:
    a, b = X * torch.linspace(0.1, 3, 9).double(), X.flip(0) ** 2 + X
    found = [value.value for value in influence(scale * a, b)]
    for column in range(9):
        rest = [other for other in range(9) if other != column]
        assert found[column] == pytest.approx(cka(a, b) - cka(a[:, rest], b[:, rest]), abs=1e-12)
    assert max(found) - min(found) > 0.01


def test_influence_by_hand() -> None:
    # Cross products of the centred columns: of a [[1, 0], [0, 1]], of b [[1, -.5], [-.5, .75]], between [[1, -.5],
    # [0, -.5]]. So CKA is 1.5 / sqrt(2 x 2.0625) with both, 1 with the first and .25 / .75 with the second column.
    a = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    b = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    both = 1.5 / (2 * 2.0625) ** 0.5
    assert [value.value for value in influence(a, b)] == pytest.approx([both - 1 / 3, both - 1], abs=1e-12)


def test_influence_leaves_its_spaces_alone() -> None:
    a, b = X.clone(), X.flip(0)
    influence(a, b)
    assert a.equal(X)


def test_influence_says_why_it_is_undefined() -> None:
    one = torch.cat([X[:, :1], torch.ones(120, 2).double()], 1)
    reasons = [value.undefined for value in influence(one, X[:, :3])]
    assert reasons == ["a relative space does not vary without this anchor", None, None]
    assert influence(0 * one, X[:, :3])[0].undefined == "a relative space does not vary without this anchor"
    assert [value.undefined for value in influence(X[:, :1], X[:, :1])] == ["no anchor is left without this one"]
