"""A small crowd against a real server, and whether the figures would tell a bad one."""

import asyncio
from pathlib import Path

import pytest

from tests.load.load import crowd_rows
from tests.load.serving import serving
from tests.load.soak import CHANGES, DIGITS, Growth, soak
from tests.load.visits import Figures, crowd, quantile, warm
from tests.pace import in_time

pytestmark = pytest.mark.alone


def good(rows: list[tuple[str, str, bool]]) -> list[bool]:
    return [met for *_, met in rows]


def test_eight_visitors_at_once_and_then_a_short_soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.load.soak.WARM_UP", 1)
    monkeypatch.setattr("tests.load.soak.REST", 1)  # so sessions, of three descriptors each, are still there
    with serving(tmp_path / "cache") as server:
        asyncio.run(warm(server.address, DIGITS))
        found = asyncio.run(crowd(server.address, 8, query=DIGITS))
        growth = asyncio.run(soak(server, lambda interactions, _: interactions >= 5 * (CHANGES + 1)))
    assert not found.failures and not found.strangers
    assert len(found.first) == 8 and len(found.changes) == 40
    assert in_time(quantile(found.first, 0.95), 10) and in_time(quantile(found.changes, 0.95), 3)
    assert not growth.complaints and growth.interactions[-1] == 55
    assert all(growth.resident) and growth.kept_open <= 3 * (5 + 1)  # so short a while says little of memory


def test_the_rows_of_a_bad_crowd_are_missed() -> None:
    fine = Figures(first=[1.0] * 20, changes=[0.5] * 100)
    assert good(crowd_rows(fine, 20)) == [True] * 4
    bad = Figures(first=[1.0] * 18 + [11.0] * 2, changes=[0.5] * 90 + [4.0] * 10, failures=["x"], strangers=["token"])
    assert good(crowd_rows(bad, 20)) == [False] * 4


def test_growth_is_seen_through_noise() -> None:
    steady = Growth([100, 200, 300, 400], [500.0, 501.0, 499.0, 500.0], [40, 40])
    assert good(steady.rows()) == [True] * 3
    leaking = Growth([100, 200, 300, 400], [500.0, 503.0, 504.0, 507.0], [40, 43], ["x"])
    assert good(leaking.rows()) == [False] * 3
    assert leaking.slope == pytest.approx(2.2)


def test_quantile_is_the_nearest_rank() -> None:
    assert [quantile(range(1, 101), share) for share in (0.5, 0.95, 1)] == [50, 95, 100]
    assert quantile([3.0], 0.95) == 3.0
