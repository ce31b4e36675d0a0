"""What is assumed stands on every page above its numbers, for the models that are looked at and no others."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.app.server import serving

PAGES = ("", "similarity", "stitching", "reconstruction")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of one file; 'lost' has its rows in another order."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    hidden = rng.normal(size=(400, 6)) + 4 * np.eye(6)[labels]
    a, b = (np.tanh(hidden @ rng.normal(size=(6, 12)) / 4).astype("f4") for _ in range(2))
    np.savez(tmp_path / "v.npz", X=a, a=a, b=b, lost=b[rng.permutation(400)], y=labels)
    entries = "".join(f'[models.{name}]\nsource = "array:v.npz#{name}"\n' for name in ("a", "b", "lost"))
    (tmp_path / "relviz.toml").write_text(f'{entries}[data.v]\npath = "v.npz"\n')
    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "relviz.toml"))
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "cache"))


def test_every_page_says_what_is_assumed(shelf: None, chromium: Browser) -> None:
    with serving() as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        for name in PAGES:
            page.goto(f"{address}/{name}?data=v&a=a&b=lost&anchors=50&reduction=PCA")
            notes = page.locator(".st-key-notes")
            expect(notes).to_contain_text("the rows of 'lost' may come in another order", timeout=90_000)
            expect(notes).to_contain_text("'lost' has no head of its own")
        page.goto(f"{address}/?data=v&a=a&b=b&anchors=50&reduction=PCA")
        expect(page.locator(".st-key-notes")).to_contain_text("'b' has no head of its own", timeout=90_000)
        expect(page.locator(".st-key-notes")).not_to_contain_text("another order")
        page.close()
