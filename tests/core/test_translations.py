"""Translations against independent oracles, their edges and their options."""

import importlib
import inspect
import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.linear_model import LinearRegression, Ridge
from torch import Tensor

from relviz.core.translations import TRANSLATIONS, translate
from relviz.core.translations.affine import affine, affine_gradient
from relviz.core.translations.linear import linear, ridge
from relviz.core.translations.orthogonal import ortho, ortho_rigid
from relviz.errors import BadChoice, UnknownName


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny products in many threads wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def latentis(name: str) -> ModuleType:
    """A module of latentis, whose import warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"latentis.transform.{name}")


def anchors(k: int = 60, d: int = 8) -> Tensor:
    return torch.randn(k, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 2


def rotation(d: int) -> Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q


def bent(x: Tensor, e: int | None = None, noise: float = 0.3) -> Tensor:
    """A linear image of a space with noise and an offset."""
    g = torch.Generator().manual_seed(3)
    y = x @ torch.randn(x.shape[1], e or x.shape[1], generator=g, dtype=torch.float64)
    return y + noise * torch.randn(y.shape, generator=g, dtype=torch.float64) - 3


def close(found: Tensor, expected: Tensor | np.ndarray, atol: float = 1e-9) -> None:
    torch.testing.assert_close(found, torch.as_tensor(expected), atol=atol, rtol=0)


def test_ortho_agrees_with_scipy() -> None:
    x = anchors()
    y = bent(x)
    centred_x, centred_y = x - x.mean(0), y - y.mean(0)
    matrix, scale = scipy.linalg.orthogonal_procrustes(centred_x.numpy(), centred_y.numpy())
    close(ortho(x, y).matrix, torch.from_numpy(matrix) * scale / centred_x.square().sum())
    close(ortho_rigid(x, y).matrix, matrix)
    close(ortho(x, y, normalise="none", scale=False).matrix, scipy.linalg.orthogonal_procrustes(x, y)[0])


@pytest.mark.parametrize("e", [5, 8])
def test_least_squares_agree_with_numpy_and_scikit_learn(e: int) -> None:
    x, others = anchors(), anchors(20) + 1
    y = bent(x, e)
    close(linear(x, y).matrix, np.linalg.lstsq(x.numpy(), y.numpy(), rcond=None)[0])
    close(affine(x, y)(others), LinearRegression().fit(x, y).predict(others))
    alpha = 0.3 * float((x - x.mean(0)).square().sum()) / 8
    close(ridge(x, y, penalty=0.3)(others), Ridge(alpha=alpha).fit(x, y).predict(others))


@pytest.mark.parametrize(("k", "d"), [(5, 8), (1, 8), (20, 8)])
def test_below_full_rank_least_squares_take_the_matrix_of_least_norm(k: int, d: int) -> None:
    x = anchors(k, d)
    x[:, 3] = x[:, 2]  # rank-deficient for any k
    y = bent(x)
    close(linear(x, y).matrix, np.linalg.pinv(x.numpy()) @ y.numpy())
    centred = x - x.mean(0)
    close(affine(x, y).matrix, np.linalg.pinv(centred.numpy(), rcond=1e-12) @ (y - y.mean(0)).numpy())


def test_rounding_of_single_precision_is_not_taken_for_a_direction() -> None:
    g = torch.Generator().manual_seed(0)
    x = (torch.randn(100, 5, generator=g) @ torch.randn(5, 20, generator=g)).float()  # rank 5 but for rounding
    y = torch.randn(100, 6, generator=g)
    for name in ("linear", "affine", "ridge"):
        assert translate(x, y, name=name).matrix.norm() < 100, name


@pytest.mark.parametrize("normalise", ["none", "standard"])
def test_agrees_with_latentis(normalise: str) -> None:
    aligner, functional = latentis("translate.aligner"), latentis("translate.functional")
    base, matcher = latentis("base"), latentis("dim_matcher")
    states = {
        "ortho-rigid": functional.svd_align_state,
        "linear": functional.lstsq_align_state,
        "l-ortho": functional.lstsq_ortho_align_state,
    }
    x, others = anchors(), anchors(20) + 1
    for name, state in states.items():
        for e in (8, 5) if name == "ortho-rigid" else (8,):
            y = bent(x, e)
            scaling = (base.StandardScaling(), base.StandardScaling()) if normalise == "standard" else (None, None)
            oracle = aligner.Translator(
                aligner.MatrixAligner(name, state),
                x_transform=scaling[0],
                y_transform=scaling[1],
                dim_matcher=matcher.ZeroPadding(),
            )
            expected, _ = oracle.fit(x, y).transform(others)
            close(translate(x, y, name=name, normalise=normalise)(others), expected, atol=1e-6)


def test_agrees_with_the_procrustes_of_latentis() -> None:
    x, y, others = anchors(), bent(anchors(), 5), anchors(20) + 1
    expected, _ = latentis("translate.aligner").Procrustes().fit(x, y).transform(others)
    close(ortho_rigid(x, y, normalise="standard")(others), expected, atol=1e-6)


def test_gradient_agrees_with_latentis() -> None:
    x = anchors()
    x = (x - x.mean(0)) / x.std(0)
    y = bent(x, 5)
    state = latentis("translate.functional").sgd_affine_align_state(x, y, num_steps=50, lr=1e-2, random_seed=7)
    found = affine_gradient(x, y, steps=50, rate=1e-2, seed=7, normalise="none")(x)
    close(found, state["translation"](x).detach(), atol=1e-6)


def test_the_gradient_heads_for_the_closed_form() -> None:
    x, y = anchors(), bent(anchors(), 5)
    gaps = [
        float((affine_gradient(x, y, steps=s, rate=2e-2)(x) - affine(x, y)(x)).square().mean()) for s in (0, 100, 1000)
    ]
    assert gaps[0] > 4 * gaps[1] > 100 * gaps[2]
    assert gaps[2] < 1e-2


def test_the_gradient_is_seeded_and_leaves_the_global_stream_alone() -> None:
    x, y = anchors().float(), bent(anchors()).float()
    before = torch.random.get_rng_state()
    first, second, other = (affine_gradient(x, y, seed=seed).matrix for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())
    with torch.inference_mode():
        assert torch.equal(first, affine_gradient(x.clone(), y.clone(), seed=0).matrix)


@pytest.mark.parametrize(("k", "d"), [(60, 8), (5, 40), (1, 8), (60, 60)])
@pytest.mark.parametrize("name", [name for name, entry in TRANSLATIONS.items() if entry.comes_back == "always"])
@pytest.mark.parametrize("normalise", ["none", "centre", "standard"])
def test_a_space_to_itself_comes_back_even_where_anchors_say_nothing(k: int, d: int, name: str, normalise: str) -> None:
    x = anchors(k, d)
    if (k, normalise) != (1, "standard") and not (k == 1 and normalise == "centre"):
        x[:, 0] = 0  # a dead feature on the anchors that lives elsewhere
        others = anchors(200, d)
        close(translate(x, x, name=name, normalise=normalise)(others), others)
    assert torch.isfinite(translate(x, x, name=name, normalise=normalise)(x)).all()


def test_unlike_widths_are_padded_and_cropped() -> None:
    narrow = anchors(60, 5)
    wide = torch.cat([narrow, torch.zeros(60, 3, dtype=torch.float64)], dim=1) @ rotation(8)
    for name in ("ortho", "ortho-rigid", "l-ortho"):
        close(translate(narrow, wide, name=name)(narrow), wide)
        close(translate(wide, narrow, name=name)(wide), narrow)


def test_unit_norm_follows_the_order_of_the_paper() -> None:
    x, y, others = anchors(), bent(anchors(), 5), anchors(20) + 1
    scaled_x, scaled_y = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)
    unit_x, unit_y = (z / z.norm(dim=1, keepdim=True) for z in (scaled_x, scaled_y))
    matrix = np.linalg.lstsq(unit_x.numpy(), unit_y.numpy(), rcond=None)[0]
    inner = (others - x.mean(0)) / x.std(0)
    rows = (inner / inner.norm(dim=1, keepdim=True)) @ torch.from_numpy(matrix)
    expected = rows * scaled_y.norm(dim=1).mean() * y.std(0) + y.mean(0)
    close(linear(x, y, normalise="standard", unit_norm=True)(others), expected)


def test_a_unit_norm_translation_forgets_length_and_gives_the_mean_one_back() -> None:
    x = anchors()
    x = x / x.norm(dim=1, keepdim=True)
    y = 7 * x @ rotation(8)
    translation = ortho_rigid(x, y, normalise="none", unit_norm=True)
    close(translation(5 * x), y)


def test_standardising_destroys_a_rotation_of_an_anisotropic_space_and_centring_does_not() -> None:
    g = torch.Generator().manual_seed(0)
    spectrum = torch.arange(1, 65, dtype=torch.float64) ** -0.8
    x = torch.randn(400, 64, generator=g, dtype=torch.float64) * spectrum
    y = x @ rotation(64)
    errors = {n: float((ortho_rigid(x, y, normalise=n)(x) - y).norm() / y.norm()) for n in ("centre", "standard")}
    assert errors["centre"] < 1e-9 < 0.3 < errors["standard"]


BAD = {
    "nan": torch.full((10, 3), torch.nan),
    "infinite": torch.full((10, 3), torch.inf),
    "beyond": torch.full((10, 3), 1e200, dtype=torch.float64),
    "no anchors": torch.zeros(0, 3),
    "no features": torch.zeros(10, 0),
}
EDGES = {
    "constant": torch.ones(10, 3),
    "zeros": torch.zeros(10, 3),
    "one duplicate": torch.cat([torch.zeros(9, 3), torch.ones(1, 3)]),
    "huge": 1e30 * torch.randn(10, 3, generator=torch.Generator().manual_seed(0)),
    "tiny": 1e-30 * torch.randn(10, 3, generator=torch.Generator().manual_seed(0)),
    "one anchor": torch.ones(1, 3),
    "two anchors": torch.eye(3)[:2],
    "half": torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).half(),
    "bfloat16": torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).bfloat16(),
    "strided": torch.randn(3, 20, generator=torch.Generator().manual_seed(0)).T[::2],
}


@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize("unit_norm", [False, True])
def test_edge_anchors_give_finite_vectors(name: str, unit_norm: bool) -> None:
    quick = {"steps": 5} if name == "affine-gradient" else {}
    for edge, x in EDGES.items():
        plain = torch.randn(len(x), 4, generator=torch.Generator().manual_seed(1)).to(x.dtype)
        for source, target in ((x, plain), (plain, x), (x, x)):
            for normalise in ("none", "centre", "standard"):
                translation = translate(source, target, name=name, normalise=normalise, unit_norm=unit_norm, **quick)
                assert torch.isfinite(translation(source)).all(), (edge, normalise)
                assert torch.isfinite(translation(torch.zeros_like(source))).all(), (edge, normalise)


@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize("bad", BAD)
def test_anchors_that_cannot_be_fitted_are_refused(name: str, bad: str) -> None:
    x = BAD[bad]
    with pytest.raises(BadChoice):
        translate(x, torch.ones(len(x), 2), name=name)
    with pytest.raises(BadChoice):
        translate(torch.ones(len(x), 2), x, name=name)


def test_wrong_inputs_are_refused_in_a_sentence() -> None:
    x = anchors()
    with pytest.raises(BadChoice, match="60 source and 50 target anchors"):
        translate(x, x[:50], name="ortho")
    with pytest.raises(BadChoice, match="5 features, the translation reads 8"):
        ortho(x, x)(x[:, :5])
    with pytest.raises(BadChoice, match="not finite"):
        ortho(x, x)(torch.full((2, 8), torch.nan))
    with pytest.raises(BadChoice, match="normalisation 'l2'"):
        ortho(x, x, normalise="l2")
    with pytest.raises(UnknownName, match="Did you mean 'ortho'"):
        translate(x, x, name="otho")
    with pytest.raises(UnknownName, match="option of Linear called 'penalty'"):
        translate(x, x, name="linear", penalty=1.0)
    with pytest.raises(BadChoice, match="penalty"):
        ridge(x, x, penalty=0.0)
    for option, value in (("steps", -1), ("seed", -1), ("rate", 0.0)):
        with pytest.raises(BadChoice, match=f"{option} = {value} is out of range"):
            translate(x, x, name="affine-gradient", **{option: value})


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_the_registry_tells_the_defaults_of_the_function(name: str) -> None:
    entry = TRANSLATIONS[name]
    parameters = inspect.signature(entry.function).parameters.values()
    defaults = {
        parameter.name: parameter.default for parameter in parameters if parameter.kind == parameter.KEYWORD_ONLY
    }
    assert {option.name: option.default for option in entry.options} == defaults
    x, y = anchors(), bent(anchors())
    close(translate(x, y, name=name)(x), entry.function(x, y, **{o.name: o.default for o in entry.options})(x), 0.0)
