"""Products of invariances: what each aggregation computes, how it is trained and what tuning touches."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from relviz.core.aggregations import AGGREGATIONS, fit_aggregation, tune
from relviz.core.aggregations.fixed import Concat, Sum
from relviz.core.aggregations.learned import Attention, MLPSum, Weighted
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.projections import project
from relviz.errors import BadChoice, UnknownName

TRAINED = [name for name, entry in AGGREGATIONS.items() if entry.trained]
PRODUCT = ("cosine", "euclidean", "l1", "linf")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def samples(n: int = 400, d: int = 16, classes: int = 4) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, (n,), generator=g)
    centres = 1.5 * torch.randn(classes, d, generator=g)
    return centres[labels] + torch.randn(n, d, generator=g), labels


def relative(x: Tensor, names: tuple[str, ...] = PRODUCT, k: int = 24) -> list[Tensor]:
    return [project(x, x[:k], name=name) for name in names]


def rotated(x: Tensor) -> Tensor:
    d = x.shape[1]
    return x @ torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(9)).to(x.dtype)).Q


def state(module: nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(module.state_dict())


def stack(count: int = 3, k: int = 5) -> Tensor:
    return torch.randn(8, count, k, generator=torch.Generator().manual_seed(2)) * 4 + 1


def normalised(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()


def test_concat_and_sum_by_hand() -> None:
    x = stack()
    torch.testing.assert_close(Concat(3, 5)(x), torch.cat([normalised(x[:, i]) for i in range(3)], dim=1))
    torch.testing.assert_close(Sum(3, 5)(x), normalised(x[:, 0]) + normalised(x[:, 1]) + normalised(x[:, 2]))


def test_mlp_sum_by_hand() -> None:
    x, module = stack(), MLPSum(3, 5)
    expected = sum(torch.tanh(layer(normalised(x[:, i]))) for i, layer in enumerate(module.layers))
    torch.testing.assert_close(module(x), expected)


def test_weighted_starts_as_the_plain_mean() -> None:
    x, module = stack(), Weighted(3, 5)
    assert module.weights().tolist() == pytest.approx([1 / 3] * 3)
    torch.testing.assert_close(module(x), normalised(x).mean(1))
    module.logits.data = torch.tensor([0.0, torch.log(torch.tensor(2.0)), -100.0])
    torch.testing.assert_close(module(x), (normalised(x[:, 0]) + 2 * normalised(x[:, 1])) / 3)


def test_attention_agrees_with_the_one_of_torch() -> None:
    x, module = stack(), Attention(3, 5)
    oracle = nn.MultiheadAttention(5, 1, batch_first=True)
    weights = [module.query.weight, module.key.weight, module.value.weight]
    oracle.in_proj_weight.data = torch.cat([weight.data for weight in weights])
    of_keys = torch.randn(5, generator=torch.Generator().manual_seed(0))  # has no effect, and no counterpart
    oracle.in_proj_bias.data = torch.cat([module.query.bias.data, of_keys, module.value.bias.data])
    oracle.out_proj.load_state_dict(module.out.state_dict())
    tokens = normalised(x)
    torch.testing.assert_close(module(x), oracle(tokens, tokens, tokens)[0].sum(1), atol=1e-5, rtol=1e-5)


def test_permuting_spaces_changes_concat_but_not_sum() -> None:
    x = stack()
    order = [2, 0, 1]
    torch.testing.assert_close(Sum(3, 5)(x[:, order]), Sum(3, 5)(x))
    assert not torch.allclose(Concat(3, 5)(x[:, order]), Concat(3, 5)(x))


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_width_and_gradient(name: str) -> None:
    module = AGGREGATIONS[name].function(3, 5)
    assert module(stack()).shape == (8, module.out_width)
    assert bool(list(module.parameters())) == AGGREGATIONS[name].trained
    assert bool(module.blending()) == AGGREGATIONS[name].trained


@pytest.mark.parametrize("name", ["concat", "sum"])
def test_without_parameters_the_head_is_ridge_in_closed_form(name: str) -> None:
    x, labels = samples()
    spaces = relative(x.double())
    fitted = fit_aggregation(spaces, labels, classes=4, name=name, penalty=0.3)
    seen = torch.stack([normalised(space) for space in spaces], 1)
    seen = seen.flatten(1) if name == "concat" else seen.sum(1)
    expected = fit_ridge(seen, labels, classes=4, penalty=0.3).scores(seen)
    torch.testing.assert_close(fitted.scores(spaces), expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", AGGREGATIONS)
@pytest.mark.parametrize("head", ["", "linear", "mlp"])
def test_every_aggregation_reads_held_out_rows(name: str, head: str) -> None:
    x, labels = samples(800)
    spaces = relative(x)
    train, test = [s[:400] for s in spaces], [s[400:] for s in spaces]
    fitted = fit_aggregation(train, labels[:400], classes=4, name=name, head=head, epochs=20, batch=64, rate=5e-3)
    assert fitted.scores(test).shape == (400, 4)
    assert fitted.scores(test).dtype == torch.float64
    assert fitted.accuracy(test, labels[400:]) > 0.85


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_a_rotated_twin_gives_the_same_scores_where_all_factors_ignore_rotation(name: str) -> None:
    x, labels = samples()
    x = x.double()
    factors = ("cosine", "angular", "euclidean")
    fitted = fit_aggregation(relative(x, factors), labels, classes=4, name=name, epochs=2)
    mine, twin = (fitted.scores(relative(z, factors)) for z in (x, rotated(x)))
    torch.testing.assert_close(twin, mine, atol=1e-4, rtol=0)
    broken = fitted.scores([*relative(rotated(x), factors[:2]), project(rotated(x), rotated(x)[:24], name="l1")])
    assert float((broken - mine).abs().max()) > 1e-2


@pytest.mark.parametrize("name", TRAINED)
def test_training_is_seeded_and_leaves_the_global_stream_alone(name: str) -> None:
    x, labels = samples()
    spaces = relative(x)
    before = torch.random.get_rng_state()
    first, again, other = (
        fit_aggregation(spaces, labels, classes=4, name=name, epochs=1, seed=seed).scores(spaces) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", TRAINED)
def test_training_moves_the_blending(name: str) -> None:
    x, labels = samples()
    start, trained = (
        fit_aggregation(relative(x), labels, classes=4, name=name, epochs=epochs).aggregation for epochs in (0, 2)
    )
    for old, new in zip(start.blending(), trained.blending(), strict=True):
        assert not torch.equal(old, new)


@pytest.mark.parametrize("name", TRAINED)
def test_tuning_the_blending_changes_nothing_else_and_not_the_old_one(name: str) -> None:
    x, labels = samples()
    spaces = relative(x)
    fitted = fit_aggregation(spaces, labels, classes=4, name=name, epochs=1)
    before = state(fitted.aggregation), state(fitted.head)
    tuned = tune(fitted, spaces, labels, what="blending", steps=5)
    changed = {key for key, value in tuned.aggregation.state_dict().items() if not torch.equal(value, before[0][key])}
    expected = {
        "attention": {"query.weight", "query.bias", "key.weight", "value.weight", "value.bias"},
        "weighted": {"logits"},
        "mlp-sum": {f"layers.{i}.{part}" for i in range(4) for part in ("weight", "bias")},
    }
    assert changed == expected[name]
    assert all(torch.equal(value, before[1][key]) for key, value in tuned.head.state_dict().items())
    for module, old in zip((fitted.aggregation, fitted.head), before, strict=True):
        assert all(torch.equal(value, old[key]) for key, value in module.state_dict().items())


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_tuning_the_head_changes_nothing_else_and_not_the_old_one(name: str) -> None:
    x, labels = samples()
    spaces = relative(x)
    fitted = fit_aggregation(spaces, labels, classes=4, name=name, epochs=1)
    before = fitted.scores(spaces)
    tuned = tune(fitted, spaces, labels, what="head", steps=5)
    assert all(not torch.equal(a, b) for a, b in zip(tuned.head.parameters(), fitted.head.parameters(), strict=True))
    assert torch.equal(tuned.represent(spaces), fitted.represent(spaces))
    assert torch.equal(fitted.scores(spaces), before)


@pytest.mark.parametrize("what", ["blending", "head"])
def test_tuning_helps_a_foreign_encoder_that_does_not_fit(what: str) -> None:
    x, labels = samples(800)
    spaces = relative(x)
    fitted = fit_aggregation(spaces, labels, classes=4, name="attention", epochs=20, batch=64)
    foreign = [-spaces[0], -spaces[1], -spaces[2], spaces[3]]  # three of four factors went wrong
    few, rest = [s[:200] for s in foreign], [s[200:] for s in foreign]
    tuned = tune(fitted, few, labels[:200], what=what, steps=100, rate=5e-3)
    assert tuned.accuracy(rest, labels[200:]) > fitted.accuracy(rest, labels[200:]) + 0.5


def test_edge_spaces_give_finite_scores() -> None:
    labels = torch.arange(6) % 2
    for edge in (torch.zeros(6, 3), torch.ones(6, 3), 1e14 * torch.randn(6, 3), 1e-30 * torch.randn(6, 3)):
        for name in AGGREGATIONS:
            fitted = fit_aggregation([edge, edge.half().clamp(-9, 9).float()], labels, classes=3, name=name, epochs=1)
            assert torch.isfinite(fitted.scores([edge, edge])).all()


def test_wrong_inputs_are_refused_in_a_sentence() -> None:
    x, labels = samples(40)
    spaces = relative(x)
    fitted = fit_aggregation(spaces, labels, classes=4, name="sum")
    with pytest.raises(UnknownName, match="Did you mean 'concat'"):
        fit_aggregation(spaces, labels, classes=4, name="conct")
    with pytest.raises(BadChoice, match="none"):
        fit_aggregation([], labels, classes=4, name="sum")
    with pytest.raises(BadChoice, match="do not match"):
        fit_aggregation([spaces[0], spaces[1][:, :5]], labels, classes=4, name="sum")
    with pytest.raises(BadChoice, match="not finite"):
        fit_aggregation([torch.full((40, 3), torch.nan)], labels, classes=4, name="sum")
    with pytest.raises(BadChoice, match="40 rows and 10 labels"):
        fit_aggregation(spaces, labels[:10], classes=4, name="sum")
    with pytest.raises(BadChoice, match="cannot end in the head 'ridge'"):
        fit_aggregation(spaces, labels, classes=4, name="attention", head="ridge")
    with pytest.raises(BadChoice, match="3 spaces of 24 anchors, fitted were 4 of 24"):
        fitted.scores(spaces[:3])
    with pytest.raises(BadChoice, match="no blending"):
        tune(fitted, spaces, labels, what="blending")
    with pytest.raises(BadChoice, match="'all'"):
        tune(fitted, spaces, labels, what="all")
    with pytest.raises(BadChoice, match="are not all in 0 to 3"):
        tune(fitted, spaces, labels + 1, what="head")
    with pytest.raises(BadChoice, match="0 spaces"):
        Concat(0, 3)
