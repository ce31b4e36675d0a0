import torch
from sklearn.linear_model import Ridge

from relviz.core.heads import fit_ridge


def test_agrees_with_scikit_learn() -> None:
    g = torch.Generator().manual_seed(0)
    x, labels = torch.randn(300, 20, generator=g, dtype=torch.float64), torch.randint(0, 4, (300,), generator=g)
    centred = x - x.mean(0)
    penalty = float(centred.square().sum() / 20)
    oracle = Ridge(alpha=0.7 * penalty).fit(x.numpy(), torch.nn.functional.one_hot(labels, 4).numpy())
    scores = fit_ridge(x, labels, classes=4, penalty=0.7).scores(x)
    torch.testing.assert_close(scores, torch.from_numpy(oracle.predict(x.numpy())), atol=1e-9, rtol=0)


def test_the_penalty_means_the_same_at_any_scale() -> None:
    g = torch.Generator().manual_seed(0)
    x, labels = torch.randn(300, 20, generator=g, dtype=torch.float64), torch.randint(0, 4, (300,), generator=g)
    small, large = (fit_ridge(s * x, labels, classes=4).scores(s * x) for s in (1e-3, 1e3))
    torch.testing.assert_close(small, large, atol=1e-9, rtol=0)


def test_constant_inputs_give_finite_scores() -> None:
    head = fit_ridge(torch.ones(10, 3), torch.arange(10) % 2, classes=2)
    assert torch.isfinite(head.scores(torch.ones(2, 3))).all()
