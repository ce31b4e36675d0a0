"""An open page follows files that change: with a browser that nobody touches, and run again after the change."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from relviz.requests import Anchors, Compare
from relviz.usecases.table import run
from tests.app import server
from tests.app.steps import settled
from tests.pace import in_time

QUERY = "data=changing&a=digits-mlp-s0&b=digits-mlp-s1&anchors=20&reduction=PCA"


def write(folder: Path, seed: int, rows: int = 200) -> str:
    """Other pictures under the same name; gives how the page writes what the two models share of them."""
    draw = np.random.default_rng(seed)
    labels = draw.permutation(np.arange(rows) % 3)
    centres = draw.integers(0, 255, (3, 8, 8))
    images = np.clip(centres[labels] + draw.normal(0, 60, (rows, 8, 8)), 0, 255).astype(np.uint8)
    np.savez(folder / "new.npz", images=images, y=labels)
    (folder / "new.npz").replace(folder / "changing.npz")
    k = min(10, rows // 5 - 1)
    found = run(Compare("digits-mlp-s0", "digits-mlp-s1", "changing", Anchors(20), k, ("jaccard",)))
    return f"{100 * found.relative['jaccard'].value:.2g} %"


@pytest.fixture(scope="module")
def folder(own_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("shelf")
    (made / "relviz.toml").write_text('[data.changing]\npath = "changing.npz"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELVIZ_SHELF", str(made / "relviz.toml"))
        yield made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with server.serving() as found:
        yield found


def test_an_open_page_follows_within_a_second_or_two(folder: Path, chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    told = write(folder, 1)
    page.goto(f"{address}/?{QUERY}")
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text(f"A finds {told}", timeout=150_000)
    settled(page)
    for seed, rows in ((2, 200), (3, 100), (4, 300)):
        former, told = told, write(folder, seed, rows)
        began = time.monotonic()
        expect(answer).not_to_contain_text(f"A finds {former}", timeout=60_000)
        assert in_time(time.monotonic() - began, 3)
        expect(answer).to_contain_text(f"A finds {told}", timeout=60_000)
        settled(page)
        expect(page.locator(".relviz-maps .status")).to_contain_text(f"{rows // 5} samples")
        assert not page.get_by_test_id("stAlert").count()
    page.close()
