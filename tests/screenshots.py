"""Screenshots of the real app for the README: `make screenshots`."""

from pathlib import Path

from playwright.sync_api import expect

from tests.app import server

DRAWN = ".js-plotly-plot .main-svg, .relviz-maps .legend > *"
SHOTS = {
    "explore-light": ("", "light"),
    "explore-dark": ("", "dark"),
    "similarity": ("similarity?measure=Jaccard%40k", "light"),
    "stitching": ("stitching", "light"),
}


def main() -> None:
    folder = server.ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with server.serving() as address, server.browser() as chromium:
        for name, (where, scheme) in SHOTS.items():
            page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{address}/{where}")
            expect(page.locator(DRAWN).first).to_be_visible(timeout=120_000)
            for _ in range(3):
                expect(page.locator("[data-testid=stProgress]")).to_have_count(0, timeout=120_000)
                page.wait_for_timeout(500)
            expect(page.locator("[data-testid=stCaptionContainer]").first).not_to_contain_text("PCA,", timeout=120_000)
            page.screenshot(path=Path(folder) / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
