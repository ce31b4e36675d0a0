"""Laws over every registered projection: the invariance table with the cells that must not hold, edges, determinism."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from relviz.core.projections import PROJECTIONS, kernels, project
from relviz.core.registry import TRANSFORMATIONS
from relviz.errors import BadChoice, UnknownName

D = 12


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def space(n: int = 60) -> Tensor:
    return normal(n, D) + 0.5


MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "isotropic scale": lambda x: 3.7 * x,
    "orthogonal": lambda x: x @ torch.linalg.qr(normal(D, D, seed=1)).Q,
    "translation": lambda x: x + torch.linspace(-2, 2, D, dtype=x.dtype),
    "permutation": lambda x: x.flip(1),
    "linear": lambda x: x @ (torch.eye(D, dtype=x.dtype) + 0.3 * normal(D, D, seed=2)),
}


def test_every_known_transformation_is_tried() -> None:
    assert set(MOVES) == set(TRANSFORMATIONS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("name", PROJECTIONS)
def test_claimed_invariances_hold_and_no_others(name: str, move: str, centred: bool, dtype: torch.dtype) -> None:
    # Anchors that are no samples: at a distance of 0, single precision cannot tell moved from unmoved.
    x, anchors = space(), space()[:8] + normal(8, D, seed=3)
    before, after = (
        project(f(x).to(dtype), f(anchors).to(dtype), name=name, centred=centred) for f in (lambda z: z, MOVES[move])
    )
    holds = move in PROJECTIONS[name].invariant_to(centred=centred)
    error = float((before - after).abs().max() / before.abs().max())
    assert error < (1e-10 if dtype == torch.float64 else 2e-4) if holds else error > 1e-2


@pytest.mark.parametrize("name", ["euclidean", "l1", "linf", "geodesic"])
def test_distances_grow_with_the_space(name: str) -> None:
    x = space()
    torch.testing.assert_close(project(3 * x, 3 * x[:8], name=name), 3 * project(x, x[:8], name=name))


def test_change_of_basis_stands_every_invertible_map_where_the_anchors_span_the_space() -> None:
    x = space()
    before, after = (project(z, z[: D + 3], name="basis") for z in (x, MOVES["linear"](x)))
    torch.testing.assert_close(before, after, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", [name for name, entry in PROJECTIONS.items() if entry.pointwise])
@pytest.mark.parametrize("centred", [False, True])
def test_all_at_once_equals_one_by_one(name: str, centred: bool) -> None:
    x, anchors = space(), space()[:8]
    together = project(x, anchors, name=name, centred=centred)
    alone = torch.cat([project(row[None], anchors, name=name, centred=centred) for row in x])
    torch.testing.assert_close(together, alone, atol=1e-7, rtol=0)


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
def test_row_order_and_anchor_order_only_reorder_the_result(name: str) -> None:
    x = space()
    anchors = x[:8] + 1
    whole = project(x, anchors, name=name)
    torch.testing.assert_close(project(x.flip(0), anchors, name=name), whole.flip(0), atol=1e-7, rtol=0)
    torch.testing.assert_close(project(x, anchors.flip(0), name=name), whole.flip(1), atol=1e-7, rtol=0)


SPACE = space().float()
EDGES: dict[str, tuple[Tensor, Tensor]] = {
    "no samples": (SPACE[:0], SPACE[:3]),
    "one sample": (SPACE[:1], SPACE[:3]),
    "one sample and itself": (SPACE[:1], SPACE[:1]),
    "one anchor": (SPACE, SPACE[:1]),
    "more anchors than samples": (SPACE[:3], SPACE),
    "zero samples": (torch.zeros(4, D), SPACE[:3]),
    "zero anchors": (SPACE, torch.zeros(3, D)),
    "all zero": (torch.zeros(4, D), torch.zeros(3, D)),
    "duplicate samples": (SPACE[:1].expand(30, D), SPACE[:3]),
    "duplicate anchors": (SPACE, SPACE[:1].expand(5, D)),
    "all equal": (torch.ones(20, D), torch.ones(4, D)),
    "constant feature": (SPACE.clone().index_fill_(1, torch.tensor([2]), 7), SPACE[:3]),
    "one feature": (SPACE[:, :1], SPACE[:3, :1]),
    "huge": (1e30 * SPACE, 1e30 * SPACE[:3]),
    "huge and opposite": (torch.tensor([[3e38], [-3e38]]).expand(2, D), torch.tensor([[-3e38], [3e38]]).expand(2, D)),
    "tiny": (1e-30 * SPACE, 1e-30 * SPACE[:3]),
    "tiny anchors": (1e5 * SPACE, 1e-40 * SPACE[:3]),
    "huge double": (1e300 * SPACE.double(), 1e300 * SPACE[:3].double()),
    "tiny double": (1e-310 * SPACE.double(), 1e-310 * SPACE[:3].double()),
    "half": (SPACE.half(), SPACE[:3].half()),
    "bfloat16": (SPACE.bfloat16(), SPACE[:3].bfloat16()),
    "mixed precision": (SPACE, SPACE[:3].double()),
    "not contiguous": (SPACE.T.contiguous().T, SPACE[:6:2]),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("name", PROJECTIONS)
def test_edges_give_finite_values_in_range(name: str, centred: bool, edge: str) -> None:
    x, anchors = EDGES[edge]
    found, entry = project(x, anchors, name=name, centred=centred), PROJECTIONS[name]
    assert found.shape == (len(x), len(anchors))
    assert torch.isfinite(found).all()
    assert entry.low is None or (found >= entry.low).all()
    assert entry.high is None or (found <= entry.high).all()


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


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", PROJECTIONS)
def test_values_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    spoilt = SPACE.clone()
    spoilt[4, 2] = bad
    with pytest.raises(BadChoice, match="The samples hold values that are not finite"):
        project(spoilt, SPACE[:3], name=name)
    with pytest.raises(BadChoice, match="The anchors hold values that are not finite"):
        project(SPACE, spoilt[:6], name=name)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_spaces_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(BadChoice, match="no anchors"):
        project(SPACE, SPACE[:0], name=name)
    if name == "cosine":  # the others' annotations refuse it before, in tests
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
