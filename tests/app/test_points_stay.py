"""The samples are seen where they belong, by pixels: after scrolling, resizing, and a while in the background."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.app import server
from tests.app.element import APP, Maps, N

EVERYONE = np.arange(N)
FAINT = 25  # of 255; what differs less from the ground is not seen


@pytest.fixture(scope="module")
def address(own_environment: Any) -> Iterator[str]:
    with server.serving(APP) as found:
        yield found


@pytest.fixture(params=["light", "dark"])
def maps(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Maps]:
    context = chromium.new_context(viewport={"width": 1440, "height": 460}, color_scheme=request.param)
    page = context.new_page()
    page.goto(address)
    page.locator(".relviz-maps .legend > *").first.wait_for(timeout=60_000)
    found = Maps(page)
    for hiding in ("Class names on the maps", "Anchors on the maps"):
        found.root.locator("summary").click()
        found.root.get_by_text(hiding).click()
        found.root.locator("summary").click()
    page.wait_for_timeout(1_000)
    yield found
    context.close()


def seen(maps: Maps) -> list[float]:
    """Of each map, the share of samples inside the window where something is drawn; NaN of a map out of sight.

    Streamlit's bar lies over the upper 60 pixels.
    """
    screen = np.asarray(Image.open(io.BytesIO(maps.page.screenshot())).convert("RGB")).astype(int)
    drawn = np.abs(screen - np.median(screen[100:-50, 400:], axis=(0, 1))).max(2) > FAINT
    places, height = maps.places(EVERYONE), screen.shape[0]
    shares = []
    for pane in range(places.shape[1]):
        x, y = (places[:, pane] + maps.corner(pane)).round().astype(int).T
        inside = (y > 60) & (y < height - 4)
        found = [drawn[j - 1 : j + 2, i - 1 : i + 2].any() for i, j in zip(x[inside], y[inside], strict=True)]
        shares.append(float(np.mean(found)) if found else float("nan"))
    return shares


def expect_all_seen(maps: Maps, *, least: int) -> None:
    """Every sample of every map that is in sight, and so many maps are in sight."""
    shares = [share for share in seen(maps) if not np.isnan(share)]
    assert len(shares) >= least and min(shares) > 0.99, shares


def scroll(page: Page, by: int) -> float:
    """Turn the wheel beside the maps, where it does not zoom them; gives how far the page is scrolled."""
    page.mouse.move(page.viewport_size["width"] - 8, 300)  # type: ignore[index]
    page.mouse.wheel(0, by)
    page.wait_for_timeout(700)
    return float(page.locator("[data-testid=stMain]").evaluate("e => e.scrollTop"))


def test_samples_stay_where_they_are_while_the_page_scrolls(maps: Maps) -> None:
    expect_all_seen(maps, least=2)
    for _ in range(5):
        reached = scroll(maps.page, 60)
        expect_all_seen(maps, least=2)
    assert reached > 200  # far enough to hide an upper part of the maps
    scroll(maps.page, -1_000)
    expect_all_seen(maps, least=2)


def test_samples_stay_when_the_window_is_resized(maps: Maps) -> None:
    for width, height in ((1000, 560), (560, 700), (1600, 1000), (1440, 460)):
        maps.page.set_viewport_size({"width": width, "height": height})
        maps.page.wait_for_timeout(1_000)
        expect_all_seen(maps, least=1)
        scroll(maps.page, 150)
        expect_all_seen(maps, least=1)


def test_samples_stay_when_the_tab_was_in_the_background(maps: Maps) -> None:
    page = maps.page
    scroll(page, 150)
    other = page.context.new_page()
    other.goto("about:blank")
    other.bring_to_front()
    talk = page.context.new_cdp_session(page)
    talk.send("Page.setWebLifecycleState", {"state": "frozen"})
    other.wait_for_timeout(500)
    talk.send("Page.setWebLifecycleState", {"state": "active"})
    page.bring_to_front()
    page.wait_for_timeout(700)
    expect_all_seen(maps, least=2)
    other.close()
