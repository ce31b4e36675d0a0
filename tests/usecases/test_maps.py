from dataclasses import replace

import pytest
import torch

from relviz.core.reductions import REDUCTIONS
from relviz.data.catalogue import load_dataset
from relviz.data.subset import subset
from relviz.errors import Cancelled, RelvizError
from relviz.models.catalogue import find
from relviz.requests import Anchors, Layout, Maps
from relviz.usecases import maps
from relviz.usecases.table import REDUCER, TENSORS, run, use_case

PAIR = ("digits-cnn-s0", "digits-cnn-s1", "digits", Anchors(100))


@pytest.mark.parametrize("reduction", list(REDUCTIONS))
def test_maps_are_finite_and_honest(reduction: str) -> None:
    found = run(Maps(*PAIR, reduction))
    n = len(load_dataset("digits").labels[load_dataset("digits").held_out])
    for name in ("absolute_a", "absolute_b", "relative_a", "relative_b"):
        one = getattr(found, name)
        assert one.view.shape == (n, 2) and torch.isfinite(one.view).all()
        assert one.anchors.shape == (100, 2) and torch.isfinite(one.anchors).all()
        low, high = one.view.amin(0), one.view.amax(0)
        assert ((one.anchors >= low - 0.2 * (high - low)) & (one.anchors <= high + 0.2 * (high - low))).all()
        assert one.chance == 15 / (n - 1)
        assert one.chance < one.kept <= 1


def test_the_relative_maps_of_a_model_with_itself_coincide() -> None:
    found = run(Maps("digits-cnn-s0", "digits-cnn-s0", "digits", Anchors(100)))
    torch.testing.assert_close(found.relative_a.view, found.relative_b.view)


@pytest.mark.parametrize("reduction", ["pca", "pacmap"])
def test_an_anchor_lies_where_a_sample_with_its_vector_does(monkeypatch: pytest.MonkeyPatch, reduction: str) -> None:
    """On a PCA map exactly; on others it lies where its nearest samples are, here all of one place."""
    data = load_dataset("digits")
    labels = data.label_tensor()
    space = torch.eye(10)[labels] * 10  # every sample of a class has one vector
    with_spaces(monkeypatch, {name: space for name in PAIR[:2]})
    found = run(Maps(*PAIR[:3], Anchors(10), reduction))
    rows = maps.anchor_rows(data, Anchors(10), lambda *_: None)
    held_out = labels[data.held_out]
    for name in ("absolute_a", "relative_b"):
        one = getattr(found, name)
        extent = float((one.view.amax(0) - one.view.amin(0)).max())
        for anchor, row in enumerate(rows.tolist()):
            middle = one.view[held_out == labels[row]].mean(0)
            assert (one.anchors[anchor] - middle).norm() < (1e-4 if reduction == "pca" else 0.1) * extent


def test_only_the_reductions_leave_the_worker_that_owns_the_spaces() -> None:
    assert [stage.lane for stage in use_case(Maps).stages(Maps(*PAIR, "pca"))] == [TENSORS]
    assert [stage.lane for stage in use_case(Maps).stages(Maps(*PAIR, "umap"))] == [TENSORS, REDUCER]


def test_umap_views_come_from_the_cache_and_other_anchors_cost_only_the_relative_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = run(Maps(*PAIR, "umap"))
    reduced, umap = [], REDUCTIONS["umap"]
    with monkeypatch.context() as patch:
        patch.setitem(REDUCTIONS, "umap", replace(umap, function=lambda *_, **__: pytest.fail("reduced twice")))
        again = run(Maps(*PAIR, "umap"))
        patch.setattr(maps.cache, "write", lambda *_: None)  # the stand-in's views are not for later tests
        stand_in = lambda *graph, **_: reduced.append(graph) or graph[2]  # noqa: E731
        patch.setitem(REDUCTIONS, "umap", replace(umap, function=stand_in))
        other = run(Maps(*PAIR[:3], Anchors(99), "umap"))
    assert again.relative_b.view.equal(first.relative_b.view) and again.relative_b.kept == first.relative_b.kept
    assert len(reduced) == 1 and other.absolute_a.view.equal(first.absolute_a.view)


def test_progress_rises_to_the_end_and_may_end_the_work() -> None:
    told: list[float] = []
    asked = Maps(*PAIR[:3], Anchors(98), "umap")
    run(asked, lambda share, _text: told.append(share))
    assert told == sorted(told) and told[0] <= 0.1 and told[-1] >= 0.95 and len(told) > 10

    def cancel(share: float, _text: str) -> None:
        if share > 0.3:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        run(Maps(*PAIR[:3], Anchors(97), "umap"), cancel)


@pytest.mark.parametrize(
    ("reduction", "layout", "words"),
    [
        ("umpa", Layout(), "no reduction called 'umpa'. Did you mean 'umap'"),
        ("umap", 3, "Only PCA draws in three dimensions"),
        ("pca", 4, "no maps of 4 dimensions"),
        ("umap", Layout(neighbours=1), "cannot follow 1 neighbours"),
        ("umap", Layout(neighbours=201), "cannot follow 201 neighbours"),
        ("umap", Layout(min_dist=1.0), "distance of 1.0"),
        ("umap", Layout(metric="cosin"), "Did you mean 'cosine'"),
        ("tsne", Layout(seed=-1), "no seed -1"),
    ],
)
def test_what_is_out_of_range_is_refused(reduction: str, layout: Layout | int, words: str) -> None:
    how = {"dimensions": layout} if isinstance(layout, int) else {"layout": layout}
    with pytest.raises(RelvizError) as refusal:
        run(Maps(*PAIR, reduction, **how))
    assert words in str(refusal.value)


def test_three_dimensions_begin_with_the_two_and_keep_more() -> None:
    flat, solid = (run(Maps(*PAIR, dimensions=dimensions)).absolute_a for dimensions in (2, 3))
    assert solid.view.shape == (len(flat.view), 3) and solid.view[:, :2].equal(flat.view)
    assert solid.kept > flat.kept


def test_every_option_changes_the_umap_view_and_the_metric_that_of_tsne(monkeypatch: pytest.MonkeyPatch) -> None:
    part = subset(load_dataset("digits"), n=240, seed=0)
    monkeypatch.setattr(maps, "load_dataset", lambda _: part)
    g = torch.Generator().manual_seed(0)
    with_spaces(monkeypatch, dict.fromkeys(PAIR[:2], torch.randn(len(part), 8, generator=g).exp()))
    others = [Layout(30), Layout(min_dist=0.6), Layout(metric="euclidean"), Layout(seed=1)]
    for reduction, layouts in (("umap", others), ("tsne", others[2:3])):
        first, *changed = (
            run(Maps(*PAIR[:3], Anchors(20), reduction, layout)).absolute_a.view for layout in (Layout(), *layouts)
        )
        assert all(torch.isfinite(view).all() and not view.equal(first) for view in changed)


def with_spaces(monkeypatch: pytest.MonkeyPatch, spaces: dict[str, torch.Tensor]) -> None:
    """Let these spaces stand for what models see in the digits."""
    monkeypatch.setattr(maps, "space_of", lambda model, *_: spaces[model.name])


def test_a_rotated_scaled_permuted_twin_coincides_in_the_relative_maps_only(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = PAIR[:2]
    g = torch.Generator().manual_seed(0)
    space = maps.space_of(find(a), load_dataset("digits"), lambda *_: None)
    width = space.shape[1]
    rotation = torch.linalg.qr(torch.randn(width, width, generator=g, dtype=torch.float64)).Q
    twin = (3.7 * space.double() @ rotation)[:, torch.randperm(width, generator=g)].float()
    with_spaces(monkeypatch, {a: space, b: twin})
    found = run(Maps(*PAIR, "pca"))
    extent = found.relative_a.view.amax(0) - found.relative_a.view.amin(0)
    gap = (found.relative_a.view - found.relative_b.view).abs() / extent
    assert gap.max() < 1e-5
    absolute = (found.absolute_a.view - found.absolute_b.view).abs() / extent
    assert absolute.median() > 0.1


def test_noise_has_a_badge_near_chance_and_each_sample_says_what_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    g = torch.Generator().manual_seed(0)
    n = len(load_dataset("digits"))
    with_spaces(monkeypatch, {name: torch.randn(n, 256, generator=g) for name in PAIR[:2]})
    found = run(Maps(*PAIR, "pca"))
    for name in ("absolute_a", "absolute_b"):
        one = getattr(found, name)
        assert one.chance / 2 < one.kept < 2 * one.chance
        assert float(one.each.mean()) == pytest.approx(one.kept, abs=1e-6) and one.each.shape == (len(one.view),)
