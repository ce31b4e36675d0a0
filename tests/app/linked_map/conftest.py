"""The page of the linked maps in headless Chromium, with WebGL and on a 2-D canvas; nothing leaves the machine."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.app import server
from tests.app.element import APP, Maps

FLAGS = {"webgl": [], "canvas": ["--disable-3d-apis"]}
REMEMBER_GRAPHICS = """
    const given = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...how) {
        const context = given.call(this, kind, ...how);
        if (kind === 'webgl2') window.graphics = context;
        return context;
    };
"""


@pytest.fixture(scope="package")
def address(own_environment: Any) -> Iterator[str]:
    with server.serving(APP) as found:
        yield found


@pytest.fixture(scope="package", params=FLAGS)
def chromium(request: pytest.FixtureRequest) -> Iterator[tuple[str, Browser]]:
    with server.browser(*FLAGS[request.param]) as found:
        yield request.param, found


@pytest.fixture
def visit(chromium: tuple[str, Browser], address: str) -> Iterator[Callable[..., Maps]]:
    """Opens the page with everything but this machine out of reach; no request may even try to leave."""
    renderer, browser = chromium
    opened: list[Page] = []
    foreign: list[str] = []

    def guard(route: Route) -> None:
        if urlparse(route.request.url).hostname == "127.0.0.1":
            return route.continue_()
        foreign.append(route.request.url)
        route.abort()

    def open_page(query: str = "", **how: Any) -> Maps:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **how})
        opened.append(page)
        page.route("**/*", guard)
        page.add_init_script(REMEMBER_GRAPHICS)
        page.goto(f"{address}/?{query}")
        page.locator(".relviz-maps .legend > *").first.wait_for(timeout=60_000)
        maps = Maps(page)
        assert maps.state()["renderer"] == renderer
        return maps

    yield open_page
    for page in opened:
        page.close()
    assert foreign == []
