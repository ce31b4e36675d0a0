"""Every map draws its rows where they belong, in every view and on every screen."""

import json
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Route, expect

from relviz.ui.linked_map.parts import View, windows
from tests.app.element import SPOTS, Maps, N, alone, around, rows_of
from tests.app.linked_map_rows import made_up
from tests.waiting import wait_until


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
    wait_until(lambda: maps.state()["anchors"] == [40] * 4)
    assert len(refused) == 1


def test_maps_go_on_without_webgl_when_the_browser_takes_it_away(visit: Callable[..., Maps]) -> None:
    maps = visit()
    maps.page.evaluate("window.graphics?.getExtension('WEBGL_lose_context').loseContext()")
    maps.page.wait_for_timeout(500)
    assert maps.state()["renderer"] == "canvas"
    drawn = "e => e.querySelector('.points').getContext('2d').getImageData(0, 0, 600, 200).data.some(part => part > 0)"
    assert maps.root.evaluate(drawn)
