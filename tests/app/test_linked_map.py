"""The linked maps in headless Chromium, with WebGL and on a 2-D canvas; nothing leaves the machine."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from relviz.ui.linked_map.parts import View, windows
from tests.app import server
from tests.app.linked_map_rows import made_up, picture

APP = "tests/app/linked_map_app.py"
N = 2000
FLAGS = {"webgl": [], "canvas": ["--disable-3d-apis"]}
REMEMBER_GRAPHICS = """
    const given = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...how) {
        const context = given.call(this, kind, ...how);
        if (kind === 'webgl2') window.graphics = context;
        return context;
    };
"""
SPOTS = ("a", "b", "relative a", "relative b")


@pytest.fixture(scope="module")
def address(own_environment: Any) -> Iterator[str]:
    with server.serving(APP) as found:
        yield found


@pytest.fixture(scope="module", params=FLAGS)
def chromium(request: pytest.FixtureRequest) -> Iterator[tuple[str, Browser]]:
    with server.browser(*FLAGS[request.param]) as found:
        yield request.param, found


@pytest.fixture
def visit(chromium: tuple[str, Browser], address: str) -> Iterator[Callable[..., "Maps"]]:
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


class Maps:
    """The element on an open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".relviz-maps")
        self.fields = page.locator(".relviz-maps .field")

    def state(self) -> dict[str, Any]:
        return self.root.evaluate("e => e.relviz.state()")

    def places(self, rows: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Where rows are drawn, rows x maps x 2, in pixels of each map's field."""
        return np.array(self.root.evaluate("(e, rows) => rows.map(row => e.relviz.row(row))", rows.tolist()))

    def corner(self, pane: int) -> "np.ndarray[Any, Any]":
        box = self.fields.nth(pane).bounding_box()
        assert box is not None
        return np.array([box["x"], box["y"]])

    def point_at(self, row: int, pane: int = 0) -> None:
        self.page.mouse.move(*(self.corner(pane) + self.places(np.array([row]))[0, pane]))

    def lasso(self, path: "np.ndarray[Any, Any]", pane: int = 0, key: str | None = None) -> None:
        """Drag around a path of field pixels, with a key held."""
        size = self.state()["panes"][pane]["size"]
        path = np.clip(path, 2, [size["width"] - 2, size["height"] - 2]) + self.corner(pane)
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*path[0])
        self.page.mouse.down()
        for x, y in path[1:]:
            self.page.mouse.move(x, y)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def from_menu(self, name: str) -> None:
        self.root.locator("summary").click()
        self.press(name)

    def expect_told(self, rows: "np.ndarray[Any, Any]") -> None:
        """Python knows exactly these rows as selected (their number and sum), and so does the element."""
        expect(self.page.locator("#told")).to_have_attribute("data-sum", str(rows.sum()), timeout=20_000)
        expect(self.page.locator("#told")).to_have_attribute("data-count", str(len(rows)))
        assert self.state()["selection"] == rows.tolist()


def rows_of(code: int) -> "np.ndarray[Any, Any]":
    return np.flatnonzero(made_up(N, 10)["codes"] == code)


def around(places: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """An ellipse of 40 corners around places."""
    middle, reach = places.mean(0), np.abs(places - places.mean(0)).max(0) * 1.3 + 3
    angle = np.linspace(0, 2 * np.pi, 40)
    return middle + np.stack([np.cos(angle), np.sin(angle)], 1) * reach


def alone(rows: "np.ndarray[Any, Any]", places: "np.ndarray[Any, Any]") -> int:
    """The row that lies farthest from its neighbours, so that the pointer cannot mean another."""
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    return int(rows[gaps.min(1).argmax()])


def ring_drawn(field: Locator, x: float, y: float) -> bool:
    """Whether something opaque is drawn seven pixels right of a place, where the hovered row's ring passes."""
    look = """(field, [x, y]) => {
        const canvas = field.querySelector('canvas'), ratio = canvas.width / field.clientWidth;
        return canvas.getContext('2d').getImageData((x + 7) * ratio, y * ratio, 1, 1).data[3] > 200;
    }"""
    return field.evaluate(look, [x, y])


def test_hovering_in_one_map_marks_the_same_row_in_all_maps(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.root.locator("summary").click()
    maps.root.get_by_text("Class names on the maps").click()
    maps.root.locator("summary").click()
    everyone = np.arange(N)
    places = maps.places(everyone)
    for pane in range(4):
        row = alone(everyone, places[:, pane])
        maps.page.mouse.move(2, 2)
        maps.page.wait_for_timeout(100)
        assert maps.state()["hovered"] == -1
        assert not any(ring_drawn(maps.fields.nth(other), *places[row, other]) for other in range(4))
        maps.point_at(row, pane)
        maps.page.wait_for_timeout(100)
        assert maps.state()["hovered"] == row
        assert all(ring_drawn(maps.fields.nth(other), *places[row, other]) for other in range(4))
        expect(maps.root.locator(".card")).to_contain_text(f"sample {8000 + row}")


def test_a_lasso_selects_exactly_the_enclosed_rows_everywhere_and_in_python(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.press("Lasso")
    first, second = rows_of(3), rows_of(6)
    maps.lasso(around(maps.places(first)[:, 0]))
    maps.expect_told(first)
    maps.lasso(around(maps.places(second)[:, 1]), pane=1, key="Shift")
    maps.expect_told(np.union1d(first, second))
    maps.lasso(around(maps.places(first)[:, 1]), pane=1, key="Alt")
    maps.expect_told(second)
    maps.press("Box")
    places = maps.places(first)[:, 0]
    maps.lasso(np.array([places.min(0) - 2, places.max(0) + 2]))
    maps.expect_told(first)


def test_the_thumbnail_is_the_hovered_rows_after_filter_and_selection(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.press("Shirt")
    maps.press("Dress")
    maps.press("Lasso")
    maps.lasso(around(maps.places(rows_of(4))[:, 0]))
    for code in (4, 9):
        rows = rows_of(code)
        row = alone(rows, maps.places(rows)[:, 0])
        maps.point_at(row)
        expect(maps.root.locator(".card")).to_contain_text(f"sample {8000 + row}")
        for _ in range(100):
            if maps.state()["pictured"] == row:
                break
            maps.page.wait_for_timeout(50)
        pixels = maps.root.locator(".picture").evaluate(
            "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        )
        assert np.array_equal(np.array(pixels).reshape(16, 16, 4)[..., 0], picture(np.array([row]))[0])
    hidden = rows_of(3)
    maps.point_at(alone(hidden, maps.places(hidden)[:, 0]))
    maps.page.wait_for_timeout(100)
    assert maps.state()["hovered"] not in hidden


def expected_places(maps: Maps, names: tuple[str, ...]) -> "np.ndarray[Any, Any]":
    """Where every row belongs in panes that show these views whole, computed here."""
    found = made_up(N, 10)
    frames = {"a": "a", "b": "b", "relative a": "relative", "relative b": "relative"}
    views = [View("", "", found[name], "", frames[name]) for name in SPOTS]
    placed = []
    for name, pane in zip(names, maps.state()["panes"], strict=True):
        left, bottom, width, height = windows(views)[SPOTS.index(name)]
        share = (found[name] - (left, bottom)) / (width, height)
        placed.append(np.stack([share[:, 0], 1 - share[:, 1]], 1) * (pane["size"]["width"], pane["size"]["height"]))
    return np.stack(placed, 1)


def test_every_map_draws_its_coordinates_and_a_morph_ends_at_the_relative_ones(visit: Callable[..., Maps]) -> None:
    maps = visit()
    everyone = np.arange(N)
    assert np.abs(maps.places(everyone) - expected_places(maps, SPOTS)).max() < 1e-3
    maps.press("Morph")
    assert np.abs(maps.places(everyone) - expected_places(maps, ("a", "b"))).max() < 1e-3
    maps.press("relative")
    shares = set()
    while maps.state()["moving"]:
        shares.add(maps.state()["panes"][0]["layers"][0]["share"])
    assert any(0 < share < 1 for share in shares)
    assert np.abs(maps.places(everyone) - expected_places(maps, ("relative a", "relative b"))).max() < 1e-3
    expect(maps.root.locator(".title").first).to_have_text("Relative A · cnn-s0")
    row = alone(everyone, maps.places(everyone)[:, 0])
    maps.point_at(row)
    maps.page.wait_for_timeout(100)
    assert maps.state()["hovered"] == row


def test_nothing_moves_for_those_who_want_no_motion(visit: Callable[..., Maps]) -> None:
    maps = visit(reduced_motion="reduce")
    maps.press("Morph")
    moving = maps.root.evaluate(
        """e => { [...e.querySelectorAll('button')].find(b => b.textContent === 'relative').click();
                  return [e.relviz.state().moving, e.relviz.state().panes[0].layers[0].share]; }"""
    )
    assert moving == [False, 1]


def test_the_overlay_lays_b_over_a(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.press("Overlay")
    places = maps.places(np.arange(N))
    assert places.shape == (N, 2, 2)
    found, size = made_up(N, 10), maps.state()["panes"][0]["size"]
    gaps = (places[:, 1] - places[:, 0]) / (size["width"], size["height"])
    window = windows([View("", "", found[name], "", "") for name in ("relative a", "relative b")])[0]
    meant = (found["relative b"] - found["relative a"]) * (1, -1) / window[2:]
    assert np.abs(gaps - meant).max() < 1e-6


def test_the_selection_survives_recolouring_and_new_anchors_and_no_coordinates_travel_again(
    visit: Callable[..., Maps],
) -> None:
    maps = visit()
    maps.press("Lasso")
    rows = rows_of(5)
    maps.lasso(around(maps.places(rows)[:, 0]))
    maps.expect_told(rows)
    before = maps.state()["traffic"]["requests"]
    maps.root.get_by_label("Colour by").select_option("local agreement")
    assert maps.state()["colour"] == "local agreement"
    maps.root.get_by_label("Colour by").select_option("stitched")
    maps.page.get_by_text("local agreement", exact=True).first.click()
    expect(maps.root.locator(".gradient")).to_be_visible(timeout=20_000)
    assert maps.state()["traffic"]["requests"] == before
    maps.expect_told(rows)
    maps.page.get_by_text("40", exact=True).click()
    for _ in range(100):
        if maps.state()["traffic"]["requests"] >= before + 4:
            break
        maps.page.wait_for_timeout(100)
    assert maps.state()["traffic"]["requests"] == before + 4  # the anchors of every map
    maps.expect_told(rows)


def test_anchors_are_drawn_as_diamonds_that_are_no_samples(visit: Callable[..., Maps]) -> None:
    maps = visit()

    def drawn() -> list[list[bool]]:
        """Whether something is drawn where each anchor lies, by map; the page makes every seventh row one."""
        spots = maps.places(np.arange(20) * 7).transpose(1, 0, 2)
        look = """(field, spots) => {
            const canvas = field.querySelector('canvas'), ratio = canvas.width / field.clientWidth;
            const pen = canvas.getContext('2d');
            return spots.map(([x, y]) => pen.getImageData(x * ratio, y * ratio, 1, 1).data[3] > 100);
        }"""
        return [maps.fields.nth(pane).evaluate(look, spots[pane].tolist()) for pane in range(4)]

    def switch(name: str) -> None:
        maps.root.locator("summary").click()
        maps.root.get_by_text(name).click()
        maps.root.locator("summary").click()
        maps.page.mouse.move(2, 2)
        maps.page.wait_for_timeout(100)

    switch("Class names on the maps")
    assert np.all(drawn())
    expect(maps.root.locator(".status")).to_contain_text("2,000 samples · ◇ 20 anchors")
    maps.press("Lasso")
    rows = rows_of(3)
    maps.lasso(around(maps.places(rows)[:, 0]))
    maps.expect_told(rows)
    switch("Anchors on the maps")
    assert not np.any(drawn())


def test_python_sets_a_selection_and_sets_it_anew(visit: Callable[..., Maps]) -> None:
    maps = visit()
    asked, own = np.arange(100), rows_of(2)
    for turn in ("1", "2"):
        maps.page.get_by_role("button", name="Select the first hundred").click()
        expect(maps.page.locator("#told")).to_have_attribute("data-turn", turn, timeout=20_000)
        expect(maps.root.locator(".status")).to_contain_text("100 of 2,000 selected")
        maps.expect_told(asked)
        maps.press("Lasso")
        maps.lasso(around(maps.places(own)[:, 0]))
        maps.expect_told(own)


def test_everything_by_keyboard(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.fields.nth(2).focus()
    keyboard = maps.page.keyboard
    keyboard.press("ArrowRight")
    now = maps.state()["hovered"]
    assert now >= 0
    for key, axis, sign in (("ArrowRight", 0, 1), ("ArrowLeft", 0, -1), ("ArrowUp", 1, -1), ("ArrowDown", 1, 1)):
        keyboard.press(key)
        after = maps.state()["hovered"]
        (before_at, after_at) = maps.places(np.array([now, after]))[:, 2]
        assert after != now and (after_at - before_at)[axis] * sign > 0
        now = after
    keyboard.press("Enter")
    expect(maps.page.locator("#told")).to_have_attribute("data-clicked", str(now), timeout=20_000)
    keyboard.press("Space")
    maps.expect_told(np.array([now]))
    keyboard.press("Escape")
    expect(maps.page.locator("#told")).to_have_attribute("data-clicked", "None", timeout=20_000)
    keyboard.press("Escape")
    maps.expect_told(np.array([], int))
    assert "Absolute A" in (maps.fields.first.get_attribute("aria-label") or "")


def test_search_by_class_and_by_id(visit: Callable[..., Maps]) -> None:
    maps = visit()
    box = maps.root.get_by_role("searchbox")
    box.fill("trouser")
    expect(maps.root.locator(".found")).to_contain_text("200 found")
    box.press("Enter")
    maps.expect_told(rows_of(1))
    box.fill("8017")
    box.press("Shift+Enter")
    maps.expect_told(np.union1d(rows_of(1), [17]))
    box.fill("note 1234")
    expect(maps.root.locator(".found")).to_contain_text("1 found")


def test_clicking_a_sample_tells_python(visit: Callable[..., Maps]) -> None:
    maps = visit()
    row = alone(np.arange(N), maps.places(np.arange(N))[:, 3])
    maps.point_at(row, 3)
    maps.page.mouse.down()
    maps.page.mouse.up()
    expect(maps.page.locator("#told")).to_have_attribute("data-clicked", str(row), timeout=20_000)


def test_zooming_one_map_or_all(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.page.mouse.move(*(maps.corner(0) + 40))
    maps.page.mouse.wheel(0, -300)
    maps.page.wait_for_timeout(200)
    zooms = [pane["camera"]["zoom"] for pane in maps.state()["panes"]]
    assert zooms[0] > 1.5 and zooms[1:] == [1, 1, 1]
    maps.root.locator("summary").click()
    maps.root.get_by_text("Zoom all maps together").click()
    maps.root.locator("summary").click()
    maps.page.mouse.move(*(maps.corner(1) + 40))
    maps.page.mouse.wheel(0, -300)
    maps.page.wait_for_timeout(200)
    assert len({json.dumps(pane["camera"]) for pane in maps.state()["panes"]}) == 1


def test_what_is_saved_is_what_is_shown(visit: Callable[..., Maps], tmp_path: Path) -> None:
    maps = visit()
    maps.press("Lasso")
    maps.lasso(around(maps.places(rows_of(3))[:, 0]))
    saved = {}
    for kind in ("CSV", "SVG", "PNG"):
        with maps.page.expect_download() as download:
            maps.from_menu(f"Save {kind}")
        assert download.value.suggested_filename == f"maps.{kind.lower()}"
        download.value.save_as(tmp_path / kind)
        saved[kind] = (tmp_path / kind).read_bytes()
    head, *lines = saved["CSV"].decode().splitlines()
    cells = [line.split(",") for line in lines]
    assert head.startswith("id,class,stitched,local agreement,note,Absolute A") and len(lines) == N
    places = np.array([[float(value) for value in line[5:13]] for line in cells])
    assert np.abs(places - np.concatenate([made_up(N, 10)[name] for name in SPOTS], 1)).max() < 1e-4
    assert [row for row, line in enumerate(cells) if line[-1] == "1"] == rows_of(3).tolist()
    assert saved["SVG"].count(b"<circle") == 4 * N
    assert saved["PNG"].startswith(b"\x89PNG") and len(saved["PNG"]) > 10_000


def test_the_table_shows_the_selection(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.root.get_by_role("searchbox").fill("bag")
    maps.root.get_by_role("searchbox").press("Enter")
    maps.from_menu("Table")
    expect(maps.root.locator(".table .bar")).to_contain_text("200 of 200 selected samples")
    cells = maps.root.locator(".table td:nth-child(2)").all_text_contents()
    assert cells == ["Bag"] * 200


def test_many_classes_are_focus_and_context(visit: Callable[..., Maps]) -> None:
    maps = visit("classes=60")
    legend = maps.root.locator(".legend")
    expect(legend).to_contain_text("60 classes, 20 in colour")
    legend.locator("[aria-pressed=true]").first.click()
    expect(legend).to_contain_text("60 classes, 19 in colour")
    assert legend.locator("[aria-pressed=true]").count() == 19
    for _ in range(30):
        legend.locator("[aria-pressed=false]").first.click()
    expect(legend).to_contain_text("60 classes, 49 in colour")


def colour_of(legend: Locator, name: str) -> str:
    look = "b => getComputedStyle(b, '::before').backgroundColor"
    return str(legend.get_by_role("button", name=name, exact=True).evaluate(look))


def test_a_class_that_is_looked_for_gets_a_colour_and_the_others_keep_theirs(visit: Callable[..., Maps]) -> None:
    maps = visit("n=3000&classes=300")
    legend, box = maps.root.locator(".legend"), maps.root.get_by_role("searchbox")
    expect(legend).to_contain_text("300 classes, 20 in colour")
    shown = legend.locator("[aria-pressed=true]").all_text_contents()
    before = [colour_of(legend, name) for name in shown]
    assert len(set(before)) == 20
    box.fill("class 277")
    box.press("Enter")
    expect(legend.locator("[aria-pressed=true]", has_text="class 277")).to_have_count(1)
    assert [colour_of(legend, name) for name in shown] == before
    assert colour_of(legend, "class 277") not in before


def test_long_names_are_short_on_the_page_and_whole_on_hover(visit: Callable[..., Maps]) -> None:
    maps = visit("long=1")
    name = "Trouser Trouser"
    switch = maps.root.locator(".legend button").nth(1)
    box = switch.bounding_box()
    assert box is not None and box["width"] < 260
    whole = switch.inner_text()
    assert whole.startswith(name) and len(whole) > 75 and "<b>1</b> 🙂" in whole
    assert (switch.get_attribute("title") or "").startswith(whole)
    row = alone(rows_of(1), maps.places(rows_of(1))[:, 0])
    maps.point_at(row)
    card = maps.root.locator(".card")
    expect(card).to_contain_text(whole)
    box = card.bounding_box()
    assert box is not None and box["width"] <= 345


def test_a_narrow_window_stacks_the_maps(visit: Callable[..., Maps]) -> None:
    maps = visit(viewport={"width": 520, "height": 800})
    panes = [pane["place"] for pane in maps.state()["panes"]]
    assert len({pane["left"] for pane in panes}) == 1 and len({pane["top"] for pane in panes}) == 4


def test_the_canvas_says_what_it_does_not_draw(visit: Callable[..., Maps]) -> None:
    maps = visit("n=30000")
    limited = maps.state()["renderer"] == "canvas"
    words = maps.root.locator(".status").inner_text()
    assert ("20,000 of 30,000 samples drawn" in words) == limited
    maps.from_menu("Select all")
    told = maps.page.locator("#told")
    expect(told).to_have_attribute("data-count", "30000", timeout=20_000)


def test_what_the_server_has_let_go_is_offered_anew(visit: Callable[..., Maps]) -> None:
    maps = visit()
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=404)

    maps.page.route("**/maps/*", refuse, times=1)
    maps.page.get_by_text("40", exact=True).click()
    for _ in range(100):
        if refused and maps.root.evaluate("e => e.relviz.state().anchors") == [40] * 4:
            break
        maps.page.wait_for_timeout(100)
    assert len(refused) == 1 and maps.root.evaluate("e => e.relviz.state().anchors") == [40] * 4


def test_maps_go_on_without_webgl_when_the_browser_takes_it_away(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.page.evaluate("window.graphics?.getExtension('WEBGL_lose_context').loseContext()")
    maps.page.wait_for_timeout(500)
    assert maps.state()["renderer"] == "canvas"
    drawn = "e => e.querySelector('.points').getContext('2d').getImageData(0, 0, 600, 200).data.some(part => part > 0)"
    assert maps.root.evaluate(drawn)
