"""The app in headless Chromium, clicked through as a newcomer would."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app import server

PLOT = ".js-plotly-plot .main-svg"
MAP_VALUES = "document.querySelector('.js-plotly-plot')._fullData.map(t => Array.from(t.x).slice(0, 3))"
BOARD_VALUES = "Array.from(document.querySelectorAll('.js-plotly-plot')).map(p => JSON.stringify(p._fullData[0].z))"


@pytest.fixture(scope="module")
def address(own_environment: Any) -> Iterator[str]:
    with server.serving() as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with server.browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    found = chromium.new_page(viewport={"width": 1280, "height": 800})
    yield found
    found.close()


def settled(page: Page) -> None:
    """Wait until nothing is being computed."""
    expect(page.locator(PLOT).first).to_be_visible(timeout=60_000)
    for _ in range(3):  # progress may come and go between two reruns
        expect(page.locator("[data-testid=stProgress]")).to_have_count(0, timeout=120_000)
        page.wait_for_timeout(300)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def set_anchors(page: Page, presses: int) -> None:
    page.get_by_role("slider", name="Anchors").focus()
    for _ in range(presses):
        page.keyboard.press("ArrowLeft")


def test_the_default_pair_is_drawn_within_three_seconds_on_a_warm_server(chromium: Browser, address: str) -> None:
    times = []
    for _ in range(3):  # the first visit warms the server; the better of the others, since the machines are shared
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        loaded = time.perf_counter()
        expect(page.locator(PLOT).first).to_be_visible(timeout=60_000)
        times.append(time.perf_counter() - loaded)
        settled(page)
        page.close()
    assert min(times[1:]) < 3


def test_pca_comes_first_and_umap_after_it(page: Page, address: str) -> None:
    page.goto(f"{address}/?seed=5")  # anchors nobody has asked for
    caption = page.locator("[data-testid=stCaptionContainer]").first
    expect(caption).to_contain_text("PCA, 2,000 held-out samples", timeout=60_000)
    expect(page.locator(PLOT).first).to_be_visible(timeout=60_000)
    expect(caption).to_contain_text("UMAP, 2,000 held-out samples", timeout=120_000)
    titles = page.locator(".js-plotly-plot .annotation-text").all_text_contents()
    assert len(titles) == 4 and all("keeps" in title and "chance" in title for title in titles)


def test_changing_model_b_and_anchors_changes_everything(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)
    answer, maps = page.locator(".st-key-answer"), page.evaluate(MAP_VALUES)
    before = answer.inner_text()
    choose(page, "Model B", "fmnist-vit-s1")
    settled(page)
    expect(answer).to_contain_text("300 anchors")
    assert answer.inner_text() != before
    with_vit = page.evaluate(MAP_VALUES)
    # Absolute A (the first ten traces) has not changed; absolute B and both relative maps have.
    assert with_vit[:10] == maps[:10] and with_vit[10:20] != maps[10:20] and with_vit[20:30] != maps[20:30]
    set_anchors(page, 3)
    expect(answer).to_contain_text("297 anchors", timeout=60_000)
    settled(page)
    fewer = page.evaluate(MAP_VALUES)
    assert fewer[:20] == with_vit[:20] and fewer[20:30] != with_vit[20:30]


def test_heat_map_and_stitched_accuracy_follow_the_anchors(page: Page, address: str) -> None:
    seen: dict[str, list[str]] = {"similarity": [], "stitching": []}
    for where, boards in seen.items():
        page.goto(f"{address}/{where}?data=digits&anchors=20")
        settled(page)
        boards += [page.evaluate(BOARD_VALUES), page.locator("[data-testid=stMarkdown]").first.inner_text()]
        set_anchors(page, 12)
        page.wait_for_timeout(1_000)
        settled(page)
        boards += [page.evaluate(BOARD_VALUES), page.locator("[data-testid=stMarkdown]").first.inner_text()]
    (absolute, relative), _, (absolute_later, relative_later), _ = seen["similarity"]
    assert absolute == absolute_later and relative != relative_later
    assert seen["stitching"][0][0] != seen["stitching"][2][0] and seen["stitching"][1] != seen["stitching"][3]


def test_no_number_of_the_former_choice_stays_while_a_new_one_is_computed(page: Page, address: str) -> None:
    page.goto(f"{address}/?a=fmnist-cnn-s0&b=fmnist-cnn-s1")
    settled(page)
    choose(page, "Model B", "fmnist-resnet-s1")  # nobody has encoded with it yet
    expect(page.locator("[data-testid=stProgress]").first).to_be_visible(timeout=30_000)
    assert "Read through" not in page.locator(".st-key-answer").inner_text()
    assert page.locator(PLOT).count() == 0
    settled(page)
    expect(page.locator(".st-key-answer")).to_contain_text("Read through", timeout=60_000)
    titles = page.locator(".js-plotly-plot .annotation-text").all_text_contents()
    assert sum("fmnist-resnet-s1" in title for title in titles) == 2


def test_dark_and_light_theme_and_one_screen(chromium: Browser, address: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{address}/?data=digits")
        settled(page)
        ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        grounds.append(page.evaluate(ground))
        box = page.locator(".js-plotly-plot").first.bounding_box()
        assert box is not None and box["y"] + box["height"] <= 800
        page.close()
    assert grounds[0] != grounds[1]


def test_a_link_to_an_unknown_model_is_answered_in_words(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits&a=digits-cn-s0")
    expect(page.get_by_text("Did you mean 'digits-cnn-s0'?")).to_be_visible(timeout=60_000)
    settled(page)
    assert "Traceback" not in page.content()


def test_a_busy_port_is_one_clear_sentence(address: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=server.ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    assert f"Port {taken and command[-1]} is not available" in said or "already in use" in said
