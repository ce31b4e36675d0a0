"""The Pairs page in Chromium, on texts in two languages that nobody speaks, whose encoders are arrays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from relviz.requests import Anchors, PairBoard, Pairs
from relviz.usecases.table import run
from tests.app import server

N = 200


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[Path]:
    """A shelf file of two paired data sets, one alone, and two models: a space and its rotated, wider twin."""
    folder, random = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    x = random.normal(size=(N, 6)) + 1
    turned = np.pad(x, ((0, 0), (0, 2))) @ np.linalg.qr(random.normal(size=(8, 8)))[0]
    np.savez(folder / "v.npz", x=x.astype(np.float32), turned=turned.astype(np.float32))
    for name in ("this", "that", "alone"):
        lines = ["text,label", *(f"{name} {i},{'ab'[int(row[0] > 1)]}" for i, row in enumerate(x))]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    sets = "".join(f'[data.{name}]\npath = "{name}.csv"\n' for name in ("this", "that", "alone"))
    models = "".join(
        f'[models.{name}]\nsource = "array:v.npz#{name}"\ndata = ["this", "that", "alone"]\n'
        for name in ("x", "turned")
    )
    (folder / "relviz.toml").write_text(f'{sets}{models}[paired]\nboth = ["this", "that"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELVIZ_SHELF", str(folder / "relviz.toml"))
        yield folder


@pytest.fixture(scope="module")
def address(shelf: Path) -> Iterator[str]:
    with server.serving() as found:
        yield found


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    found = chromium.new_page(viewport={"width": 1280, "height": 800})
    yield found
    found.close()


def bars(page: Page) -> list[list[float | None]]:
    """The values of both directions' bars."""
    figure = page.locator(".st-key-ways .js-plotly-plot")
    values: list[list[float | None]] = figure.evaluate("p => p._fullData.map(trace => Array.from(trace.x))")
    return values


def test_the_page_shows_the_numbers_of_the_use_case(page: Page, address: str, shelf: Path) -> None:
    page.goto(f"{address}/pairs?data=this&a=x&b=turned&anchors=40")
    main = page.locator("[data-testid=stMain]")
    expect(main).to_contain_text(
        "Read through 40 parallel anchors, 100 % of A's samples find their partner", timeout=120_000
    )
    expect(main).to_contain_text("without anchors undefined: the widths differ (6 and 8)")
    expect(main).to_contain_text("Between different sets the mean reciprocal rank is 1.000 on average", timeout=120_000)
    anchors = Anchors(40)
    found = run(Pairs("x", "turned", "this", "that", anchors))
    assert bars(page) == [[one.mrr for one in ways] for ways in (found.there, found.back)]
    board = page.locator(".st-key-board .js-plotly-plot").evaluate("p => p._fullData[0].z.map(row => Array.from(row))")
    cells = run(PairBoard("x", "turned", ("this", "that"), anchors)).cells
    assert board == [[one.mrr for one in row] for row in cells]


def test_another_encoder_of_the_partner_is_another_answer(page: Page, address: str) -> None:
    page.goto(f"{address}/pairs?data=this&a=x&b=turned&anchors=40")
    main = page.locator("[data-testid=stMain]")
    expect(main).to_contain_text("without anchors undefined", timeout=120_000)
    page.get_by_role("combobox", name="Its encoder").click()
    page.get_by_role("option", name="x", exact=True).click()
    expect(main).to_contain_text("without anchors 100 %", timeout=120_000)
    assert "reader=x" in page.url


def test_data_without_a_partner_names_what_has_one(page: Page, address: str) -> None:
    page.goto(f"{address}/pairs?data=alone")
    expect(page.locator("[data-testid=stMain]")).to_contain_text(
        "'alone' has no partner. Choose one of 'this', 'that' as the data set.", timeout=120_000
    )


def test_without_any_pairs_the_page_says_how_to_name_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.app.test_pages import open_page

    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "none.toml"))
    app = open_page("pairs")
    assert not app.exception and not app.error
    assert any("[paired]" in info.value for info in app.info)
