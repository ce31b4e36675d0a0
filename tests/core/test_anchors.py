import pytest
import torch

from relviz.core.anchors import STRATEGIES, select_anchors
from relviz.errors import BadChoice, UnknownName

LABELS = torch.arange(1000) % 7


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("count", [1, 50, 1000])
def test_rows_are_distinct_seeded_and_in_range(strategy: str, count: int) -> None:
    rows = select_anchors(LABELS, strategy=strategy, count=count, seed=3)
    assert rows.shape == (count,)
    assert len(set(rows.tolist())) == count
    assert 0 <= rows.min() and rows.max() < len(LABELS)
    assert rows.equal(select_anchors(LABELS, strategy=strategy, count=count, seed=3))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_another_seed_gives_other_anchors(strategy: str) -> None:
    first, second = (select_anchors(LABELS, strategy=strategy, count=50, seed=seed) for seed in (0, 1))
    assert not first.equal(second)


def test_class_balanced_counts_differ_by_at_most_one() -> None:
    labels = torch.tensor([0] * 500 + [1] * 30 + [2] * 400)
    counts = torch.bincount(labels[select_anchors(labels, strategy="class-balanced", count=50, seed=0)])
    assert counts.max() - counts.min() <= 1


def test_class_balanced_goes_on_when_a_class_runs_out() -> None:
    labels = torch.tensor([0] * 50 + [1] * 2)
    counts = torch.bincount(labels[select_anchors(labels, strategy="class-balanced", count=30, seed=0)])
    assert counts.tolist() == [28, 2]


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_impossible_counts_are_refused_with_the_limit(count: int) -> None:
    with pytest.raises(BadChoice, match="Choose at"):
        select_anchors(LABELS, strategy="uniform", count=count, seed=0)


def test_a_negative_seed_and_an_unknown_strategy_are_refused() -> None:
    with pytest.raises(BadChoice, match="seed -1"):
        select_anchors(LABELS, strategy="uniform", count=5, seed=-1)
    with pytest.raises(UnknownName, match="Did you mean 'uniform'"):
        select_anchors(LABELS, strategy="unifrom", count=5, seed=0)
