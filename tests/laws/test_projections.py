"""Laws over every registered projection: the invariance table with the cells that must not hold, edges, determinism."""

import warnings

import pytest
import torch
from torch import Tensor

from relviz.core.projections import PROJECTIONS, kernels, project
from relviz.core.registry import TRANSFORMATIONS
from relviz.errors import BadChoice, UnknownName
from relviz.laws.projections import LAWS, MOVES, SPACE, D, space

# The law of float32 is tried by test_float32.py.
QUICK = {law: tried for law, tried in LAWS.items() if law != "float32 gives float64's value"}


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("law", QUICK)
def test_every_law_holds(law: str, name: str) -> None:
    outcome = QUICK[law](name)
    assert outcome.kept, outcome.told


def test_every_known_transformation_is_tried() -> None:
    assert set(MOVES) == set(TRANSFORMATIONS)


@pytest.mark.parametrize("name", ["euclidean", "l1", "linf", "geodesic"])
def test_distances_grow_with_the_space(name: str) -> None:
    x = space()
    torch.testing.assert_close(project(3 * x, 3 * x[:8], name=name), 3 * project(x, x[:8], name=name))


def test_change_of_basis_stands_every_invertible_map_where_the_anchors_span_the_space() -> None:
    x = space()
    before, after = (project(z, z[: D + 3], name="basis") for z in (x, MOVES["linear"](x)))
    torch.testing.assert_close(before, after, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_block_size_changes_nothing(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    x = space().to(dtype)
    anchors = x[:8] + 1
    whole = project(x, anchors, name=name, centred=True)
    sizes, in_blocks = [], kernels._in_blocks

    def small(relate: kernels.Relate, rows: Tensor, found: Tensor, most: int, learned: bool) -> Tensor:
        assert most > len(x)

        def spied(part: Tensor, out: Tensor | None) -> Tensor:
            sizes.append(len(part))
            return relate(part, out)

        return in_blocks(spied, rows, found, 7, learned)

    monkeypatch.setattr(kernels, "_in_blocks", small)
    torch.testing.assert_close(project(x, anchors, name=name, centred=True), whole)
    assert (sum(sizes) == len(x) and max(sizes) <= 7) if PROJECTIONS[name].pointwise else not sizes


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("factor", [1e30, 1e-30])
def test_values_far_from_one_keep_their_digits(name: str, factor: float) -> None:
    x, anchors = SPACE[:, :4], SPACE[:3, :4] + 1
    degree = {"inner": 2, "euclidean": 1, "l1": 1, "linf": 1, "geodesic": 1}.get(name, 0)
    found = project(factor * x, factor * anchors, name=name)
    expected = project(x.double(), anchors.double(), name=name) * factor**degree
    biggest = torch.finfo(torch.float32).max
    expected = expected.clamp(-biggest, biggest).float()  # a square of 1e-30 is zero in single precision
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * factor**degree)


def test_spaces_that_do_not_fit_are_refused() -> None:
    # The public functions' annotations refuse it before, in tests.
    with pytest.raises(BadChoice, match="12 features, the anchors 5"):
        kernels.related(SPACE, SPACE[:3, :5], kernels.cosine, centred=False)


def test_unknown_names_and_options_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'cosine'"):
        project(SPACE, SPACE[:3], name="cosin")
    with pytest.raises(UnknownName, match="Did you mean 'neighbours'"):
        project(SPACE, SPACE[:3], name="geodesic", neighbors=3)
    with pytest.raises(BadChoice, match="neighbours = 0 is out of range"):
        project(SPACE, SPACE[:3], name="geodesic", neighbours=0)
    with pytest.raises(BadChoice, match="wrong kind"):
        project(SPACE, SPACE[:3], name="geodesic", neighbours=2.5)


@pytest.mark.parametrize(
    ("name", "peer", "options"),
    [
        ("cosine", "cosine_proj", {}),
        ("angular", "angular_proj", {}),
        ("euclidean", "lp_proj", {"p": 2}),
        ("l1", "lp_proj", {"p": 1}),
        ("linf", "lp_proj", {"p": float("inf")}),
        ("basis", "change_of_basis_proj", {}),
    ],
)
def test_agrees_with_latentis(name: str, peer: str, options: dict[str, float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from latentis.transform import projection
    x = space()
    anchors = space()[:8] + 1
    torch.testing.assert_close(
        project(x, anchors, name=name), getattr(projection, peer)(x, anchors=anchors, **options), atol=1e-6, rtol=0
    )
