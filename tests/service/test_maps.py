import pytest
import torch

from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, RelvizError
from relviz.service import maps, reducer
from relviz.service.requests import Anchors, Maps
from relviz.service.run import run

PAIR = ("digits-cnn-s0", "digits-cnn-s1", "digits", Anchors(100))


@pytest.mark.parametrize("reduction", ["pca", "umap"])
def test_maps_are_finite_and_honest(reduction: str) -> None:
    found = run(Maps(*PAIR, reduction))
    n = len(load_dataset("digits").labels[load_dataset("digits").held_out])
    for name in ("absolute_a", "absolute_b", "relative_a", "relative_b"):
        one = getattr(found, name)
        assert one.view.shape == (n, 2) and torch.isfinite(one.view).all()
        assert one.chance == 15 / (n - 1)
        assert one.chance < one.kept <= 1


def test_the_relative_maps_of_a_model_with_itself_coincide() -> None:
    found = run(Maps("digits-cnn-s0", "digits-cnn-s0", "digits", Anchors(100)))
    torch.testing.assert_close(found.relative_a.view, found.relative_b.view)


def test_umap_maps_come_from_the_cache_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(Maps(*PAIR, "umap"))
    monkeypatch.setattr(maps, "reduce_by_umap", lambda *_, **__: pytest.fail("reduced twice"))
    assert run(Maps(*PAIR, "umap")).relative_b.view.equal(first.relative_b.view)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(BadChoice, match="no reduction called 'tsne'"):
        run(Maps(*PAIR, "tsne"))


def test_a_dead_umap_process_is_one_sentence_and_the_next_request_works() -> None:
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    job = {"neighbours": torch.arange(60)[:, None], "similarities": torch.ones(60, 1), "start": x[:, :2]}
    with pytest.raises(RelvizError, match="draws UMAP maps stopped"):
        reducer._worker.ask({**job, "seed": torch.tensor([0, 0])})  # no number: the process dies of it
    from relviz.core.neighbours import nearest_by_cosine

    assert reducer.reduce_by_umap(*nearest_by_cosine(x, 15), x[:, :2], seed=0).shape == (60, 2)
