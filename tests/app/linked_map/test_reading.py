"""What the card, the legend, the table and saved files tell."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, expect

from tests.app.element import SPOTS, Maps, N, alone, around, rows_of
from tests.app.linked_map_rows import made_up, picture
from tests.waiting import wait_until


def pictures(maps: Maps, row: int) -> bool:
    return bool(maps.state()["pictured"] == row)


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
        wait_until(partial(pictures, maps, row))
        pixels = maps.root.locator(".picture").evaluate(
            "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
        )
        assert np.array_equal(np.array(pixels).reshape(16, 16, 4)[..., 0], picture(np.array([row]))[0])
    hidden = rows_of(3)
    maps.point_at(alone(hidden, maps.places(hidden)[:, 0]))
    maps.page.wait_for_timeout(100)
    assert maps.state()["hovered"] not in hidden


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
