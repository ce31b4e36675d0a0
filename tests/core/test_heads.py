"""Heads against scikit-learn, their laws and their edges."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestCentroid
from torch import Tensor

from relviz.core.heads import HEADS
from relviz.core.heads.closed_form import fit_class_means, fit_ridge, ridge_gallery
from relviz.core.heads.logistic import fit_logistic
from relviz.core.heads.mlp import fit_mlp, mlp
from relviz.errors import BadChoice


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def noise(n: int = 300, d: int = 20) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(n, d, generator=g, dtype=torch.float64), torch.randint(0, 4, (n,), generator=g)


def blobs(n: int = 400, d: int = 20, classes: int = 4) -> tuple[Tensor, Tensor]:
    """Overlapping classes, away from the origin."""
    x, labels = noise(n, d)
    centres = torch.randn(classes, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return x + centres[labels] + 3, labels


def close(found: Tensor, expected: Any, atol: float = 1e-9) -> None:
    torch.testing.assert_close(found, torch.as_tensor(expected), atol=atol, rtol=0)


def ridge_of_scikit_learn(x: Tensor, labels: Tensor, penalty: float) -> Tensor:
    alpha = penalty * float((x - x.mean(0)).square().sum() / x.shape[1])
    oracle = Ridge(alpha=alpha).fit(x.numpy(), torch.nn.functional.one_hot(labels, 4).numpy())
    return torch.from_numpy(oracle.predict(x.numpy()))


def test_ridge_agrees_with_scikit_learn() -> None:
    x, labels = blobs()
    close(fit_ridge(x, labels, classes=4, penalty=0.7).scores(x), ridge_of_scikit_learn(x, labels, 0.7))


def test_a_gallery_agrees_with_one_ridge_at_a_time() -> None:
    x, labels = blobs()
    gallery = ridge_gallery(x)
    cross = gallery.cross(labels, classes=4)
    for penalty in (0.01, 1.0, 30.0):
        close(gallery.solve(*cross, penalty=penalty).scores(x), ridge_of_scikit_learn(x, labels, penalty))
        other = gallery.fit(labels.flip(0), classes=4, penalty=penalty)
        close(other.scores(x), ridge_of_scikit_learn(x, labels.flip(0), penalty))


def test_more_rows_than_a_block_give_the_same_ridge(monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = blobs()
    whole = fit_ridge(x, labels, classes=4)
    monkeypatch.setattr("relviz.core.heads.closed_form.BLOCK", 7)
    close(fit_ridge(x, labels, classes=4).weight, whole.weight, 1e-12)


def test_the_penalty_means_the_same_at_any_scale() -> None:
    x, labels = noise()
    for fit in (fit_ridge, fit_logistic):
        small, large = (fit(s * x, labels, classes=4).scores(s * x) for s in (1e-3, 1e3))
        close(small, large)


@pytest.mark.parametrize("penalty", [1e-3, 1e-1])
def test_logistic_agrees_with_scikit_learn(penalty: float) -> None:
    x, labels = blobs()
    centred = x - x.mean(0)
    scale = float(centred.square().mean().sqrt())
    oracle = LogisticRegression(C=1 / (len(x) * penalty), tol=1e-12, max_iter=5000, solver="newton-cg").fit(
        (centred / scale).numpy(), labels
    )
    head = fit_logistic(x, labels, classes=4, penalty=penalty, steps=1000, tolerance=1e-10)
    close(head.weight * scale, oracle.coef_.T, 1e-5)
    expected = torch.from_numpy(oracle.decision_function((centred / scale).numpy()))
    close(head.scores(x).softmax(1), expected.softmax(1), 1e-6)
    assert head.accuracy(x, labels) == oracle.score((centred / scale).numpy(), labels)


def test_the_default_logistic_is_as_good_as_scikit_learn_on_relative_size_data() -> None:
    x, labels = blobs(800, 60)
    mean, scale = x[:400].mean(0), x[:400].std()
    oracle = LogisticRegression(C=1 / (400 * 1e-3), max_iter=1000).fit(((x[:400] - mean) / scale).numpy(), labels[:400])
    expected = oracle.score(((x[400:] - mean) / scale).numpy(), labels[400:])
    for dtype in (torch.float32, torch.float64):
        found = fit_logistic(x[:400].to(dtype), labels[:400], classes=4).accuracy(x[400:].to(dtype), labels[400:])
        assert found == pytest.approx(expected, abs=0.006)


def test_class_means_agree_with_scikit_learn() -> None:
    x, labels = blobs()
    expected = NearestCentroid().fit(x.numpy(), labels.numpy()).predict(x.numpy())
    assert fit_class_means(x, labels, classes=4).scores(x).argmax(1).tolist() == expected.tolist()


def test_the_network_of_the_papers() -> None:
    layers = [type(layer).__name__ for layer in mlp(7, 3, hidden=2)]
    assert layers == ["LayerNorm", "Linear", "SiLU", "Linear", "SiLU", "Linear"]
    assert [tuple(layer.weight.shape) for layer in mlp(7, 3) if hasattr(layer, "weight")] == [
        (7,), (7, 7), (7, 7), (3, 7)
    ]  # fmt: skip


def test_the_network_learns_what_no_linear_head_can() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 8, generator=g)
    labels = ((x[:, 0] > x[:, 1]) ^ (x[:, 2] > x[:, 3])).long()
    network = fit_mlp(x, labels, classes=2, epochs=60, rate=5e-3)
    assert network.accuracy(x, labels) > 0.9 > 0.65 > fit_ridge(x, labels, classes=2).accuracy(x, labels)


def test_the_network_is_seeded_and_leaves_the_global_stream_alone() -> None:
    x, labels = blobs()
    before = torch.random.get_rng_state()
    first, again, other = (fit_mlp(x, labels, classes=4, epochs=2, seed=seed).scores(x) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())
    with torch.inference_mode():
        assert torch.equal(first, fit_mlp(x.clone(), labels, classes=4, epochs=2, seed=0).scores(x))


@pytest.mark.parametrize("name", HEADS)
def test_every_head_reads_its_own_classes(name: str) -> None:
    x, labels = blobs(800)
    options = {"epochs": 20, "rate": 5e-3} if name == "mlp" else {}
    head = HEADS[name].function(x[:400].float(), labels[:400], classes=4, **options)
    assert head.scores(x[400:].float()).shape == (400, 4)
    assert head.scores(x[400:].float()).dtype == torch.float64
    assert head.accuracy(x[400:].float(), labels[400:]) > 0.9


@pytest.mark.parametrize("name", [name for name, entry in HEADS.items() if entry.invariances])
def test_decisions_have_the_invariances_they_claim(name: str) -> None:
    x, labels = blobs()
    g = torch.Generator().manual_seed(5)
    rotation = torch.linalg.qr(torch.randn(20, 20, generator=g, dtype=torch.float64)).Q
    moves = {
        "isotropic scale": 5 * x,
        "orthogonal": x @ rotation,
        "translation": x + 7,
        "permutation": x.flip(1),
        "linear": x @ torch.randn(20, 20, generator=g, dtype=torch.float64),
    }

    def probabilities(moved: Tensor) -> Tensor:
        scores = HEADS[name].function(moved, labels, classes=4).scores(moved)
        scores = scores - scores.mean(1, keepdim=True)
        return scores / scores.norm()

    expected = probabilities(x)
    kept = {move for move, moved in moves.items() if float((probabilities(moved) - expected).norm()) < 1e-3}
    assert kept == HEADS[name].invariances


EDGES = {
    "constant": torch.ones(10, 3),
    "zeros": torch.zeros(10, 3),
    "one duplicate": torch.cat([torch.zeros(9, 3), torch.ones(1, 3)]),
    "huge": 1e30 * torch.randn(10, 3, generator=torch.Generator().manual_seed(0)),
    "largest": torch.tensor([[3e38, -3e38, 1.0]]).repeat(10, 1) * torch.linspace(-1, 1, 10)[:, None],
    "tiny": 1e-30 * torch.randn(10, 3, generator=torch.Generator().manual_seed(0)),
    "denormal": torch.full((10, 3), 1e-44) * torch.arange(10)[:, None],
    "one row": torch.ones(1, 3),
    "half": torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).half(),
    "bfloat16": torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).bfloat16(),
    "strided": torch.randn(3, 20, generator=torch.Generator().manual_seed(0)).T[::2],
    "duplicated features": torch.randn(10, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 3),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("edge", EDGES)
def test_edge_inputs_give_finite_scores(name: str, edge: str) -> None:
    x = EDGES[edge]
    for labels in (torch.arange(len(x)) % 2, torch.zeros(len(x), dtype=torch.int64), 3 * (torch.arange(len(x)) % 2)):
        head = HEADS[name].function(x, labels, classes=5)
        assert torch.isfinite(head.scores(x)).all()
        assert 0 <= head.accuracy(x, labels) <= 1


@pytest.mark.parametrize("name", HEADS)
def test_a_class_without_samples_is_never_chosen(name: str) -> None:
    x, labels = blobs()
    head = HEADS[name].function(x, labels * 2, classes=8, **({"epochs": 30} if name == "mlp" else {}))
    assert set(head.scores(x).argmax(1).tolist()) == {0, 2, 4, 6}


@pytest.mark.parametrize("name", HEADS)
def test_inputs_that_cannot_be_fitted_are_refused(name: str) -> None:
    fit = HEADS[name].function
    x, labels = blobs(20)
    for bad in (torch.nan, torch.inf):
        with pytest.raises(BadChoice, match="not finite"):
            fit(torch.full((20, 3), bad), labels, classes=4)
        with pytest.raises(BadChoice, match="not finite"):
            fit(x, labels, classes=4).scores(torch.full((2, 20), bad))
    with pytest.raises(BadChoice, match="20 rows and 10 labels"):
        fit(x, labels[:10], classes=4)
    with pytest.raises(BadChoice, match="0 rows"):
        fit(x[:0], labels[:0], classes=4)
    for wrong in (labels - 1, labels + 1):
        with pytest.raises(BadChoice, match="are not all in 0 to 3"):
            fit(x, wrong, classes=4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ridge", {"penalty": 0.0}),
        ("ridge", {"penalty": float("nan")}),
        ("logistic", {"penalty": -1.0}),
        ("logistic", {"steps": 0}),
        ("logistic", {"tolerance": 0.0}),
        ("mlp", {"hidden": -1}),
        ("mlp", {"epochs": -1}),
        ("mlp", {"batch": 0}),
        ("mlp", {"rate": 0.0}),
        ("mlp", {"seed": -1}),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: dict[str, float]) -> None:
    x, labels = blobs(20)
    with pytest.raises(BadChoice):
        HEADS[name].function(x, labels, classes=4, **options)


def test_no_head_warns() -> None:
    x, labels = blobs(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for entry in HEADS.values():
            entry.function(x, labels, classes=4)
