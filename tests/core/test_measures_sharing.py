"""What measures share: moments that merge, one search per space, both directions in one pass, classes."""

import pytest
import torch
from torch import Tensor

from relviz.core.measures import MEASURES, Pair, Space, class_conditional, measure_all
from relviz.core.measures import space as space_module
from relviz.core.measures.alignment import linear_cka, linear_cka_debiased
from relviz.core.measures.crossing import cross
from relviz.core.moments import Moments, merge, moments
from relviz.core.neighbours import Best, best, nearest_by_cosine, nearest_within, points, search, unit_rows
from relviz.core.neighbours.points import Scores, directions
from relviz.errors import BadChoice, UnknownName


def spaces(n: int = 300, d: int = 7, e: int = 7) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(n, d, generator=g, dtype=torch.float64) ** 3 + 2
    b = a @ torch.randn(d, e, generator=g, dtype=torch.float64)
    return a, b + torch.randn(n, e, generator=g, dtype=torch.float64) ** 2


def assert_same(found: Moments, expected: Moments, within: float = 1e-10) -> None:
    for name, wanted in vars(expected).items():
        wanted = torch.as_tensor(wanted, dtype=torch.float64)
        got = torch.as_tensor(vars(found)[name], dtype=torch.float64)
        assert (got - wanted).abs().max() <= within * wanted.abs().max(), name


def test_moments_agree_with_sums_written_out() -> None:
    a, b = spaces(e=4)
    x, y = a - a.mean(0), b - b.mean(0)
    p, q = (x**2).sum(1), (y**2).sum(1)
    expected = Moments(
        len(a), a.mean(0), b.mean(0), x.T @ x, y.T @ y, x.T @ y,
        float((p * p).sum()), float((q * q).sum()), float((p * q).sum()),
        (p[:, None] * x).sum(0), (q[:, None] * y).sum(0), (p[:, None] * y).sum(0), (q[:, None] * x).sum(0),
    )  # fmt: skip
    assert_same(moments(a, b), expected)


@pytest.mark.parametrize("sizes", [[150, 150], [1, 299], [100, 7, 193], [1] * 300])
def test_merged_moments_of_batches_are_those_of_all_samples(sizes: list[int]) -> None:
    a, b = spaces(e=4)
    merged = merge(moments(u, v) for u, v in zip(a.split(sizes), b.split(sizes), strict=True))
    assert_same(merged, moments(a, b))


@pytest.mark.parametrize("measure", [linear_cka, linear_cka_debiased])
def test_minibatch_cka_is_that_of_all_samples(measure) -> None:  # type: ignore[no-untyped-def]
    a, b = spaces()
    batched = Pair(a, b, k=1)
    vars(batched)["moments"] = merge(moments(u, v) for u, v in zip(a.split(64), b.split(64), strict=True))
    assert measure(batched).value == pytest.approx(measure(Pair(a, b, k=1)).value, abs=1e-12)


def test_moments_in_float32_keep_their_digits_far_off_the_origin() -> None:
    a, b = (x.float() + 1000 for x in spaces())
    assert_same(moments(a, b), moments(a.double(), b.double()), 5e-5)


def test_each_space_is_searched_once_for_all_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    searches, crossings = [], []
    monkeypatch.setattr(
        space_module, "nearest_within", lambda *a, **options: searches.append(a) or nearest_within(*a, **options)
    )
    monkeypatch.setattr(
        "relviz.core.measures.pair.cross", lambda *a, **options: crossings.append(a) or cross(*a, **options)
    )
    a, b = (Space(x) for x in spaces())
    measure_all(a, b, k=5)
    assert (len(searches), len(crossings)) == (2, 1)
    measure_all(a, Space(spaces()[1].flip(1)), k=5)
    assert (len(searches), len(crossings)) == (3, 2)


@pytest.mark.parametrize("name", MEASURES)
def test_both_directions_of_one_pass_are_those_of_two(name: str) -> None:
    a, b = spaces()
    pair = Pair(a, b, k=5, memory=30_000)
    back = pair.flipped
    assert back.flipped is pair
    assert MEASURES[name](pair).value == pytest.approx(MEASURES[name](Pair(a, b, k=5)).value, abs=1e-12)
    assert MEASURES[name](back).value == pytest.approx(MEASURES[name](Pair(b, a, k=5)).value, abs=1e-12)


def test_both_directions_take_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    crossings = []
    monkeypatch.setattr(
        "relviz.core.measures.pair.cross", lambda *a, **options: crossings.append(a) or cross(*a, **options)
    )
    pair = Pair(*spaces(), k=5)
    pair.flipped.retrieval, pair.retrieval  # noqa: B018
    assert len(crossings) == 1


def test_a_space_alone_gives_what_its_vectors_give() -> None:
    a, b = spaces()
    assert measure_all(Space(a), Space(b), k=4) == measure_all(a, b, k=4)


def test_two_precisions_are_measured_in_the_wider() -> None:
    a, b = spaces()
    assert measure_all(a.float(), b, k=4) == measure_all(a.float().double(), b, k=4)


@pytest.mark.parametrize("block", [7, 1024])
def test_half_the_products_find_what_all_find(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK", block)
    unit = unit_rows(spaces()[0])
    scores = (unit @ unit.T).fill_diagonal_(-1)
    for k in (1, 9, 299):
        found, best = nearest_by_cosine(spaces()[0], k)
        assert found.equal(scores.topk(k).indices)
        torch.testing.assert_close(best, scores.topk(k).values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 16, 77, 300])
@pytest.mark.parametrize("threads", [1, 3])
def test_compiled_kernels_find_and_count_what_torch_does(
    rows: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (directions(x.float()) for x in spaces())
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(search, "BLOCK", rows)
    own = Scores(a, b).pairs(torch.arange(300), torch.arange(300))
    expected, wanted = nearest_within(a, 9), cross(a, b, 9, own=own, both=True)
    monkeypatch.setattr(best, "COMPILED_FROM", 1)
    monkeypatch.setattr(points, "_COMPILED_FROM", 1)
    assert nearest_within(a, 9).equal(expected)
    for ours, theirs in zip(cross(a, b, 9, own=own, both=True), wanted, strict=True):
        assert ours is not None and theirs is not None
        assert ours.found.equal(theirs.found) and ours.rank.equal(theirs.rank)
    assert wanted[0].rank.max() > 9  # beyond the lists


def test_compiled_kernels_list_the_earlier_of_equal_scores_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best, "COMPILED_FROM", 1)
    ones = directions(torch.tensor([[1.0, 0.0]]).expand(40, 2))
    spread = directions(torch.stack([torch.arange(40.0), torch.ones(40)], dim=1))
    for rows in (7, 40):
        monkeypatch.setattr(search, "BLOCK", rows)
        assert nearest_within(ones, 3)[3:].unique(dim=0).tolist() == [[0, 1, 2]]
        own = Scores(spread, ones).pairs(torch.arange(40), torch.arange(40))
        forth, back = cross(spread, ones, 3, own=own, both=True)
        assert forth.found.unique(dim=0).tolist() == [[0, 1, 2]] and forth.rank.tolist() == list(range(1, 41))
        assert back is not None and back.rank.max() == 40


def test_a_large_search_is_compiled_and_a_small_one_is_not() -> None:
    like = torch.zeros(1)
    assert Best(4096, 1, like).compiled
    assert not Best(4095, 1, like).compiled and not Best(4096, 1, like.double()).compiled


def test_rows_of_any_size_get_length_one() -> None:
    rows = torch.tensor([[3e38, 3e38], [1e-42, 1e-42], [0.0, 0.0], [3.0, 4.0]])
    expected = torch.tensor([[0.5**0.5] * 2, [0.5**0.5] * 2, [0.0, 0.0], [0.6, 0.8]])
    torch.testing.assert_close(unit_rows(rows), expected)


@pytest.mark.parametrize("name", ["cka", "jaccard", "procrustes"])
def test_within_classes_is_the_measure_of_each_class_by_itself(name: str) -> None:
    a, b = spaces()
    labels = torch.arange(300) % 3 * 4  # labels with gaps
    found = class_conditional(a, b, labels, MEASURES[name], k=5)
    assert list(found) == [0, 4, 8]
    for label, value in found.items():
        assert value == MEASURES[name](Pair(a[labels == label], b[labels == label], k=5))
        assert value.n == 100


def test_classes_too_small_are_undefined_with_a_reason() -> None:
    a, b = spaces()
    labels = torch.tensor([0] * 294 + [1] * 5 + [2])
    by_name = {name: class_conditional(a, b, labels, MEASURES[name], k=5) for name in ("cka", "jaccard")}
    assert by_name["jaccard"][1].undefined == "the class has 5 samples and the measure needs 6"
    assert by_name["cka"][1].value is not None
    assert by_name["cka"][2].undefined == "the class has 1 samples and the measure needs 2"


def test_labels_of_another_length_and_no_neighbours_are_refused() -> None:
    a, b = spaces()
    with pytest.raises(BadChoice, match="300 and 300 samples and 299 labels"):
        class_conditional(a, b, torch.zeros(299, dtype=torch.int64), MEASURES["cka"], k=5)
    with pytest.raises(BadChoice, match="k = 0 is below 1"):
        class_conditional(a, b, torch.zeros(300, dtype=torch.int64), MEASURES["cka"], k=0)


def test_options_of_an_entry_are_keywords_of_its_function() -> None:
    pair = Pair(*spaces(), k=5)
    for measure in MEASURES.values():
        for option in measure.options:
            assert measure(pair, **{option.name: option.default}) == measure(pair)
            assert measure(pair, **{option.name: option.low}).value != measure(pair).value


def test_options_out_of_range_or_unknown_are_refused() -> None:
    pair = Pair(*spaces(), k=5)
    with pytest.raises(BadChoice, match=r"bandwidth = 0\.0 is out of range"):
        MEASURES["cka-rbf"](pair, bandwidth=0.0)
    with pytest.raises(BadChoice, match=r"bandwidth of -1\.0 is not above 0"):
        pair.kernels(-1.0)
    with pytest.raises(UnknownName, match="Did you mean 'keep'"):
        MEASURES["svcca"](pair, kept=0.9)
