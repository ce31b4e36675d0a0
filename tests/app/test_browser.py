"""The app in headless Chromium, clicked through as a newcomer would."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from relviz.data.catalogue import load_dataset
from relviz.requests import Anchors, Explain, Readings
from relviz.requests import Maps as AskedMaps
from relviz.usecases.table import run
from tests.app import server
from tests.app.element import Maps, alone, around
from tests.app.steps import DRAWN, choose, places, set_anchors, settled
from tests.pace import in_time

BOARD_VALUES = "Array.from(document.querySelectorAll('.js-plotly-plot')).map(p => JSON.stringify(p._fullData[0].z))"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page with everything but this machine out of reach; no request may even try to leave."""
    found = chromium.new_page(viewport={"width": 1280, "height": 800})
    foreign: list[str] = []

    def guard(route: Route) -> None:
        if urlparse(route.request.url).hostname == "127.0.0.1":
            return route.continue_()
        foreign.append(route.request.url)
        route.abort()

    found.route("**/*", guard)
    yield found
    found.close()
    assert foreign == []


@pytest.mark.alone
def test_the_default_pair_is_drawn_within_three_seconds_on_a_warm_server(chromium: Browser, address: str) -> None:
    times = []
    for _ in range(4):  # the first visit warms the server; the best of the others, since the machines are shared
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        loaded = time.perf_counter()
        expect(page.locator(DRAWN).first).to_be_visible(timeout=60_000)
        times.append(time.perf_counter() - loaded)
        settled(page)
        page.close()
    assert in_time(min(times[1:]), 3), times


def test_pca_comes_first_and_umap_refines_the_same_maps(page: Page, address: str) -> None:
    page.goto(f"{address}/?seed=5")  # anchors nobody has asked for
    caption = page.locator("[data-testid=stCaptionContainer]").first
    expect(caption).to_contain_text("PCA, 2,000 held-out samples", timeout=60_000)
    expect(page.locator(DRAWN).first).to_be_visible(timeout=60_000)
    maps = Maps(page)
    maps.root.evaluate("e => { e.dataset.seen = 'as PCA'; }")
    search = maps.root.get_by_role("searchbox")
    search.fill("trouser")
    search.press("Enter")
    chosen = maps.state()["selection"]
    assert chosen
    expect(caption).to_contain_text("UMAP, 2,000 held-out samples", timeout=120_000)
    settled(page)
    assert maps.root.get_attribute("data-seen") == "as PCA"
    assert maps.state()["selection"] == chosen
    badges = maps.root.locator(".badge").all_text_contents()
    assert len(badges) == 4 and all("keeps" in badge and "chance" in badge for badge in badges)


def test_changing_model_b_and_anchors_changes_everything(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)
    answer, maps = page.locator(".st-key-answer"), [places(page, pane) for pane in range(4)]
    before = answer.inner_text()
    choose(page, "Model B", "fmnist-vit-s1")
    settled(page)
    expect(answer).to_contain_text("300 anchors")
    assert answer.inner_text() != before
    with_vit = [places(page, pane) for pane in range(4)]
    # Absolute A has not changed; absolute B and both relative maps have.
    assert with_vit[0] == maps[0] and all(with_vit[pane] != maps[pane] for pane in (1, 2, 3))
    set_anchors(page, 3)
    expect(answer).to_contain_text("297 anchors", timeout=60_000)
    settled(page)
    fewer = [places(page, pane) for pane in range(4)]
    assert fewer[:2] == with_vit[:2] and all(fewer[pane] != with_vit[pane] for pane in (2, 3))


def test_the_selection_survives_recolouring_and_other_anchors(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits&anchors=40")
    settled(page)
    maps = Maps(page)
    maps.press("Lasso")
    everyone = np.arange(500)
    spots = maps.places(everyone)[:, 0]
    maps.lasso(around(spots[:1] + np.array([[-40, -40], [40, 40]])))
    chosen = maps.state()["selection"]
    assert 0 < len(chosen) < 500
    maps.root.get_by_label("Colour by").select_option("local agreement")
    assert maps.state()["colour"] == "local agreement" and maps.state()["selection"] == chosen
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(1_000)  # for the selection to reach Python
    camera = maps.state()["panes"][0]["camera"]
    assert camera["zoom"] > 1
    set_anchors(page, 2)
    expect(page.locator(".st-key-answer")).to_contain_text("38 anchors", timeout=60_000)
    settled(page)
    assert maps.state()["selection"] == chosen
    set_anchors(page, 1)
    expect(page.locator(".st-key-answer")).to_contain_text("37 anchors", timeout=60_000)
    settled(page)
    assert maps.state()["selection"] == chosen
    assert maps.state()["colour"] == "local agreement" and maps.state()["panes"][0]["camera"] == camera
    assert maps.state()["anchors"] == [37] * 4


def test_python_selects_what_stitching_gets_wrong(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits&anchors=10")
    settled(page)
    data, pair = load_dataset("digits"), ("digits-cnn-s0", "digits-cnn-s1")
    predictions = run(Readings(*pair, "digits", Anchors(10))).predictions
    wrong = np.flatnonzero(predictions.stitched.numpy() != data.labels[data.held_out])
    assert 0 < len(wrong) < 500
    maps = Maps(page)
    page.get_by_role("button", name=f"Select {len(wrong)} wrong when stitched").click()
    expect(maps.root.locator(".status")).to_contain_text(f"{len(wrong)} of 500 selected", timeout=20_000)
    assert maps.state()["selection"] == wrong.tolist()
    page.get_by_role("button", name="Select 100 with the least agreement").click()
    expect(maps.root.locator(".status")).to_contain_text("100 of 500 selected", timeout=20_000)


def test_tables_hold_ids_coordinates_and_the_selection(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/?data=digits&anchors=10")
    settled(page)
    page.get_by_role("button", name="Select 100 with the least agreement").click()
    maps = Maps(page)
    expect(maps.root.locator(".status")).to_contain_text("100 of 500 selected", timeout=20_000)
    page.wait_for_timeout(500)
    tables = {}
    for kind, read in (("CSV", pd.read_csv), ("Parquet", pd.read_parquet)):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save {kind}").click()
        assert download.value.suggested_filename == f"digits-cnn-s0-digits-cnn-s1.{kind.lower()}"
        download.value.save_as(tmp_path / kind)
        tables[kind] = read(tmp_path / kind)
    found = run(AskedMaps("digits-cnn-s0", "digits-cnn-s1", "digits", Anchors(10), "umap"))
    for table in tables.values():
        assert np.flatnonzero(table["selected"]).tolist() == maps.state()["selection"]
        assert table["id"].tolist() == list(range(1297, 1797))
        drawn = table[["Relative B · digits-cnn-s1, x", "Relative B · digits-cnn-s1, y"]].to_numpy()
        assert np.abs(drawn - found.relative_b.view.numpy()).max() < 1e-5


def test_another_reduction_draws_other_maps_and_says_how(page: Page, address: str) -> None:
    seen = []
    for metric in ("cosine", "euclidean"):
        page.goto(f"{address}/?data=digits&anchors=10&reduction=PaCMAP&metric={metric}")
        caption = page.locator("[data-testid=stCaptionContainer]").first
        expect(caption).to_contain_text("PaCMAP, 500 held-out samples", timeout=120_000)
        expect(caption).to_contain_text("450 steps")
        settled(page)
        seen.append(places(page, 0))
    assert seen[0] != seen[1]


def test_three_dimensions_are_drawn_when_asked_for(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits&anchors=10")
    settled(page)
    assert page.locator(".js-plotly-plot").count() == 0
    page.locator("label", has_text="3-D").click()
    expect(page.locator(".js-plotly-plot canvas").first).to_be_visible(timeout=30_000)
    points = "document.querySelector('.js-plotly-plot')._fullData.map(t => Array.from(t.z).length)"
    assert page.evaluate(points) == [10, 500] * 4  # anchors and samples


def test_a_click_explains_the_sample(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits")
    settled(page)
    maps, everyone = Maps(page), np.arange(500)
    row = alone(everyone, maps.places(everyone)[:, 2])
    maps.point_at(row, 2)
    page.mouse.down()
    page.mouse.up()
    found = run(Explain("digits-cnn-s0", "digits-cnn-s1", "digits", row=row))
    told = page.get_by_test_id("stMain")
    expect(told).to_contain_text(f"Sample {load_dataset('digits').gallery_size + row}", timeout=30_000)
    expect(told).to_contain_text(f"B keeps {len(found.kept)}")
    count = len(found.kept + found.lost + found.gained)
    expect(page.locator(".relviz-strip figure img")).to_have_count(count, timeout=20_000)
    shown = page.locator(".relviz-strip figcaption").all_text_contents()
    ranks = [f"A {one.rank_a} · B {one.rank_b}" for one in found.kept + found.lost + found.gained]
    assert shown == ranks
    expect(page.locator(".js-plotly-plot .layer-above image")).to_have_count(12, timeout=20_000)


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
    assert page.locator(DRAWN).count() == 0
    settled(page)
    expect(page.locator(".st-key-answer")).to_contain_text("Read through", timeout=60_000)
    titles = page.locator(".relviz-maps .title").all_text_contents()
    assert sum("fmnist-resnet-s1" in title for title in titles) == 2


def test_dark_and_light_theme_and_one_screen(chromium: Browser, address: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{address}/?data=digits")
        settled(page)
        ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        grounds.append(page.evaluate(ground))
        box = page.locator(".relviz-maps").bounding_box()
        assert box is not None and box["y"] + box["height"] <= 800
        page.close()
    assert grounds[0] != grounds[1]


def test_a_link_to_an_unknown_model_is_answered_in_words(page: Page, address: str) -> None:
    page.goto(f"{address}/?data=digits&a=digits-cn-s0")
    expect(page.get_by_text("Did you mean 'digits-cnn-s0'?")).to_be_visible(timeout=60_000)
    settled(page)
    assert "Traceback" not in page.content()


def test_pages_need_nothing_that_their_content_policy_forbids(page: Page, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for where in ("", "similarity", "stitching"):
        page.goto(f"{address}/{where}?data=digits")
        settled(page)
        for expander in page.locator("[data-testid=stExpander] summary").all():
            expander.click()
        if page.locator(".st-key-in-space").count():
            page.locator(".st-key-in-space label").click()
            expect(page.locator(".js-plotly-plot canvas").first).to_be_visible(timeout=30_000)
        page.wait_for_timeout(1_000)  # tables are drawn when they are first seen
    assert not [words for words in said if "Content Security Policy" in words]
    page.evaluate("const script = document.createElement('script'); script.text = '1'; document.body.append(script)")
    page.wait_for_timeout(200)
    assert [words for words in said if "Content Security Policy" in words]  # a stranger's script is refused


def test_a_busy_port_is_one_clear_sentence(address: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=server.ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    assert f"Port {taken and command[-1]} is not available" in said or "already in use" in said
