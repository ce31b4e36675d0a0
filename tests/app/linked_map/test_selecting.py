"""Rows are selected and clicked by pointer, keyboard, search and Python, and all know of it."""

from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.app.element import Maps, N, alone, around, rows_of
from tests.waiting import wait_until


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
    wait_until(lambda: maps.state()["traffic"]["requests"] >= before + 4)
    assert maps.state()["traffic"]["requests"] == before + 4  # the anchors of every map
    maps.expect_told(rows)


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
