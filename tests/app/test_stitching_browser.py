"""Stitching in headless Chromium: the slider moves, the curve follows, and what breaks is shown in the maps."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from relviz.data.catalogue import load_dataset
from relviz.plots.words import stitch_sentence
from relviz.requests import Anchors, Readings, Stitch
from relviz.usecases.stitching import groups, over_seeds
from relviz.usecases.table import run
from tests.app.element import Maps
from tests.app.steps import settled

A, B = "digits-cnn-s0", "digits-mlp-s1"
MODELS = tuple(
    name for names in groups(("digits-cnn-s0", "digits-cnn-s1", "digits-mlp-s0", B)).values() for name in names
)
WATCH = """new MutationObserver(() => {
    const alert = document.querySelector('[data-testid=stAlert]');
    if (alert) window.alarmed = alert.textContent;
}).observe(document, {childList: true, subtree: true});"""
LINE = "p => p._fullData.filter(t => t.name == 'METHOD, stitched').map(t => [Array.from(t.x), Array.from(t.y)])[0]"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which no alert may ever be shown, however briefly."""
    found = chromium.new_page(viewport={"width": 1280, "height": 800})
    found.add_init_script(WATCH)
    yield found
    alarmed = found.evaluate("window.alarmed")
    found.close()
    assert not alarmed


def open_stitching(page: Page, address: str, query: str) -> None:
    page.goto(f"{address}/stitching?data=digits&a={A}&b={B}&{query}")
    expect(page.locator(".st-key-curve .main-svg").first).to_be_visible(timeout=120_000)
    settled(page)


def line(page: Page, method: str) -> dict[int, float]:
    """One method's points on the curve."""
    x, y = page.locator(".st-key-curve .js-plotly-plot").evaluate(LINE.replace("METHOD", method))
    return dict(zip(x, y, strict=True))


def accuracy(count: int, method: str, seed: int = 0) -> float | None:
    cells = run(Stitch((A, B), "digits", Anchors(count, seed=seed), (method,)))
    return next(c.accuracy for c in cells if (c.encoder, c.head) == (A, B))


def press(page: Page, key: str, times: int, pause: int) -> None:
    page.get_by_role("slider", name="Anchors").focus()
    for _ in range(times):
        page.keyboard.press(key)
        page.wait_for_timeout(pause)


def expect_numbers(page: Page, count: int, method: str = "relative-cosine") -> None:
    """What the page shows is what the use cases give for this number of anchors, and only for this one."""
    cells = over_seeds([run(Stitch(MODELS, "digits", Anchors(count), (method,)))], "accuracy")
    said = stitch_sentence(cells, method, "accuracy").replace("**", "")
    expect(page.locator("[data-testid=stMarkdown]").first).to_have_text(said, timeout=60_000)
    settled(page)
    at = {(cell.encoder, cell.head): cell.stitched for cell in cells}
    shown = page.locator(".st-key-board .js-plotly-plot").evaluate("p => p._fullData[0].z.map(row => Array.from(row))")
    expected = [[at[a, b].mean for b in MODELS] for a in MODELS]  # type: ignore[union-attr]
    assert np.allclose(np.array(shown, float), expected, atol=1e-12)
    points = line(page, method)
    assert sorted(points) == sorted({2, 5, 10, 20, 50, 100, 200, 300, 500, count})
    for asked in (10, count):
        assert points[asked] == pytest.approx(accuracy(asked, method), abs=1e-12)


def test_the_slider_moves_and_board_and_curve_follow(page: Page, address: str) -> None:
    open_stitching(page, address, "anchors=20")
    expect_numbers(page, 20)
    former = line(page, "relative-cosine")
    press(page, "ArrowRight", 5, 0)
    expect_numbers(page, 25)
    later = line(page, "relative-cosine")
    assert set(later) - set(former) == {25}  # nothing but the one new point
    assert all(later[count] == former[count] for count in former)
    page.get_by_role("combobox", name="Way of communication").fill("l-ortho")  # the list shows its first names only
    page.get_by_role("option", name="l-ortho", exact=True).click()
    expect_numbers(page, 25, "l-ortho")


def test_an_old_answer_never_overwrites_a_new_one(page: Page, address: str) -> None:
    open_stitching(page, address, "anchors=60")
    press(page, "ArrowLeft", 6, 350)  # each asks while those before are still being computed
    press(page, "ArrowRight", 3, 120)
    expect_numbers(page, 57)
    page.wait_for_timeout(3_000)  # for an answer that would come late
    expect_numbers(page, 57)


def test_what_breaks_is_selected_in_the_maps(page: Page, address: str) -> None:
    open_stitching(page, address, "anchors=10")
    data = load_dataset("digits")
    predictions = run(Readings(A, B, "digits", Anchors(10))).predictions
    labels = data.labels[data.held_out]  # type: ignore[index]
    native, stitched = (found.numpy() == labels for found in (predictions.native, predictions.stitched))
    broken, mended = np.flatnonzero(native & ~stitched), np.flatnonzero(~native & stitched)
    assert len(broken) and len(mended) and len(broken) != len(mended)
    for rows, what in ((broken, "right natively, wrong stitched"), (mended, "wrong natively, right stitched")):
        page.get_by_role("button", name=f"Show in the maps: {len(rows)} {what}").click()
        maps = Maps(page)
        expect(maps.root.locator(".status")).to_contain_text(f"{len(rows)} of 500 selected", timeout=120_000)
        assert maps.state()["selection"] == rows.tolist()
        assert page.get_by_role("combobox", name="Model B").input_value() == B
        page.get_by_role("link", name="Stitching").click()
        expect(page.locator(".st-key-show-broken")).to_be_visible(timeout=120_000)
        settled(page)


def test_several_anchor_sets_give_means_and_all_methods_of_the_pair_are_shown(page: Page, address: str) -> None:
    open_stitching(page, address, "anchors=10&seeds=3&method=ortho")
    boards = [run(Stitch(MODELS, "digits", Anchors(10, seed=seed), ("ortho",))) for seed in range(3)]
    cells = {(cell.encoder, cell.head): cell for cell in over_seeds(boards, "accuracy")}
    words = page.locator(".st-key-board .js-plotly-plot").evaluate("p => p._fullData[0].customdata.flat()")
    shown = cells[A, B].stitched
    assert shown is not None and shown.low < shown.high
    said = f"{shown.mean:.4f} ({shown.low:.4f} to {shown.high:.4f} over 3)"
    assert sum(f"encoder {A}" in one and f"head {B}" in one and said in one for one in words) == 1
    page.get_by_role("tab", name="All methods, this pair").click()
    expect(page.locator(".st-key-methods .main-svg").first).to_be_visible(timeout=120_000)
    page.wait_for_timeout(1_000)
    settled(page)
    drawn = "p => JSON.stringify(p._fullData.map(t => [t.name, t.customdata]))"
    traces = dict(json.loads(page.locator(".st-key-methods .js-plotly-plot").evaluate(drawn)))
    dots = traces[f"{A} read by {B}, stitched"]
    (ortho,) = ([low, high] for name, low, high in dots if name == "ortho")
    assert ortho == pytest.approx([shown.low, shown.high], abs=1e-12)
