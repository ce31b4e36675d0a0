"""Laws that hold over the whole registry of measures: a new entry is tried on all of them without a new test."""

import pytest
import torch
from torch import Tensor

from relviz.core import moments
from relviz.core.inference import null_band
from relviz.core.measures import MEASURES, measure_all
from relviz.core.registry import TRANSFORMATIONS
from relviz.laws.measures import CHANGES, EDGES, LAWS, K, X, draw, sample, spaces, value

# The law of float32 is tried by test_float32.py.
QUICK = {law: tried for law, tried in LAWS.items() if law != "float32 gives float64's value"}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("law", QUICK)
def test_every_law_holds(law: str, name: str) -> None:
    outcome = QUICK[law](name)
    assert outcome.kept, outcome.told


def test_the_battery_tries_every_transformation() -> None:
    assert tuple(CHANGES) == TRANSFORMATIONS


@pytest.mark.parametrize("name", MEASURES)
def test_the_size_of_blocks_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = spaces(n=40)
    monkeypatch.setattr(moments, "_FEWEST", 1)
    expected = value(name, a, b)
    for memory in (1, 5_000, 100_000):
        assert value(name, a, b, memory) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_independent_noise_lies_in_the_null_band_and_related_spaces_do_not(name: str) -> None:
    measure, (a, related) = MEASURES[name], spaces(n=60)

    def inside(b: Tensor) -> bool:
        band = null_band(a, b, measure, k=K, draws=60, seed=0, level=0.95)
        assert band is not None
        return band[0] <= value(name, a, b) <= band[1]

    assert not inside(related)
    # One in twenty noises lies outside by the band's definition; two of three do in one of 140 cases.
    assert sum(inside(torch.randn(a.shape, generator=draw(seed), dtype=torch.float64)) for seed in (5, 6, 7)) >= 2


@pytest.mark.parametrize(
    "edge", ["huge", "huge in float64", "tiny", "not contiguous", "one feature", "needs gradients"]
)
def test_odd_but_sound_inputs_give_what_their_plain_form_gives(edge: str) -> None:
    plain = {"not contiguous": sample(3, 40).T[::2].clone(), "one feature": X[:, :1].double()}.get(edge, X)
    b = sample(len(plain), plain.shape[1], seed=1)
    expected, found = measure_all(plain, b, k=2), measure_all(EDGES[edge], b, k=2)
    assert {name for name, value in found.items() if value.value is None} <= {"pwcca", "svcca"}
    for name, wanted in expected.items():
        assert found[name].value == pytest.approx(wanted.value, abs=1e-5), name


@pytest.mark.parametrize("edge", ["nan", "infinite", "minus infinite"])
def test_values_that_are_not_finite_make_every_measure_undefined(edge: str) -> None:
    for found in measure_all(X, EDGES[edge], k=2).values():
        assert (found.value, found.undefined) == (None, "a space holds values that are not finite")


def test_duplicated_rows_of_a_space_with_itself_change_nothing_but_who_is_first() -> None:
    for name, found in measure_all(EDGES["some duplicates"], EDGES["some duplicates"], k=3).items():
        if not name.startswith("mrr"):  # of two copies the earlier ranks first for both
            assert found.value == pytest.approx(MEASURES[name].best, abs=1e-5), name
