"""What browser tests do on the app's pages."""

from playwright.sync_api import Page, expect

DRAWN = ".js-plotly-plot .main-svg, .relviz-maps .legend > *"


def settled(page: Page) -> None:
    """Wait until nothing is being computed."""
    expect(page.locator(DRAWN).first).to_be_visible(timeout=60_000)
    for _ in range(3):  # progress may come and go between two reruns
        expect(page.locator("[data-testid=stProgress]")).to_have_count(0, timeout=150_000)
        page.wait_for_timeout(300)


def places(page: Page, pane: int) -> list[list[float]]:
    """Where the first rows are drawn in one of the maps."""
    seen = page.locator(".relviz-maps").evaluate("e => [...Array(20).keys()].map(row => e.relviz.row(row))")
    return [row[pane] for row in seen]


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def set_anchors(page: Page, presses: int) -> None:
    page.get_by_role("slider", name="Anchors").focus()
    for _ in range(presses):
        page.keyboard.press("ArrowLeft")
