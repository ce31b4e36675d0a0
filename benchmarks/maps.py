"""Measures the linked maps beside four plotly maps of the same rows, in one run: `make bench-maps`.

For each number of rows: bytes that reach the browser, time until the first picture, bytes that
"select all" sends and the time until Python has answered, and the time that the browser works for one hover.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, FloatRect, Page, TimeoutError

from benchmarks.results import machine, write_part
from tests.app import server

SIZES = (10_000, 100_000, 200_000, 1_000_000)
PATIENCE = 60_000  # milliseconds
FIRST = """async maps => {
    while (!maps.relviz.state().timing.firstFrame) await new Promise(done => setTimeout(done, 50));
    return maps.relviz.state().timing.firstFrame;
}"""
ABOUT = (
    "Written by `make bench-maps`: four maps of the same rows in headless Chromium with software GL, one visit each. "
    "Goals: select-all at 200,000 rows in Python under 0.5 s with at most 1.1 bits a row; 1,000,000 rows work; a hover "
    "takes the browser less than 16 ms at 200,000 rows."
)
HEAD = (
    "| maps | rows | MB in | opened to picture s | bytes out | bits a row | select-all s | hover ms (worst) |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass
class Traffic:
    """Bytes of a page's websocket and of its fetches of map data."""

    received: int = 0
    sent: list[int] = field(default_factory=list)


def main() -> None:
    """Measure each kind of map at each number of rows and write the table."""
    rows = []
    for script, name, look in (
        ("tests/app/linked_map_app.py", "linked maps", measure_linked),
        ("benchmarks/maps_plotly_page.py", "plotly", measure_plotly),
    ):
        with server.serving(script) as address, server.browser() as chromium:
            open_page(chromium, f"{address}/?n=1000")[0].wait_for_timeout(5_000)  # imports are not what is compared
            for n in SIZES:
                rows.append(f"| {name} | {n:,} | {attempt(look, chromium, address, n)} |")
                print(rows[-1], flush=True)
    table = "\n".join([HEAD, *rows])
    write_part("The linked maps and plotly", f"{ABOUT}\n\n{machine(['streamlit', 'plotly'])}\n\n{table}")


def attempt(look: Callable[[Browser, str, int], str], chromium: Browser, address: str, n: int) -> str:
    """One measurement as cells, or what went wrong."""
    try:
        return look(chromium, address, n)
    except TimeoutError as error:
        return f"no answer: {str(error).splitlines()[0]} | | | | |"


def open_page(chromium: Browser, url: str) -> tuple[Page, Traffic]:
    """A page whose traffic is counted."""
    page, traffic = chromium.new_page(viewport={"width": 1280, "height": 800}), Traffic()

    def watch(socket: object) -> None:
        socket.on("framereceived", lambda payload: add(len(payload)))  # type: ignore[attr-defined]
        socket.on("framesent", lambda payload: traffic.sent.append(len(payload)))  # type: ignore[attr-defined]

    def add(count: int) -> None:
        traffic.received += count

    page.on("websocket", watch)
    page.goto(url)
    return page, traffic


def measure_linked(chromium: Browser, address: str, n: int) -> str:
    """Cells of one row for the linked maps."""
    start = time.perf_counter()
    page, traffic = open_page(chromium, f"{address}/?n={n}")
    root = page.locator(".relviz-maps")
    frame = root.evaluate(FIRST, timeout=PATIENCE) / 1000
    opened = f"{time.perf_counter() - start:.2f} (message to picture {frame:.2f})"
    page.wait_for_timeout(1_500 + n // 500)  # rows are sorted by place
    fetched = root.evaluate("e => e.relviz.state().traffic.bytes")
    received = traffic.received + fetched
    hover = hovering(page)
    root.locator("summary").click()
    before = len(traffic.sent)
    start = time.perf_counter()
    root.get_by_role("button", name="Select all").evaluate("e => e.click()")
    took = answered(page, n, start)
    return cells(received, opened, max(traffic.sent[before:]), n, took, hover)


def hovering(page: Page) -> str:
    """Mean and worst time of the hover handler over places all over the first map."""
    box = box_of(page, ".field")
    for step in range(120):
        x = box["x"] + (0.05 + 0.9 * (step % 12) / 12) * box["width"]
        page.mouse.move(x, box["y"] + (0.05 + 0.9 * (step // 12) / 10) * box["height"])
    timing = page.locator(".relviz-maps").evaluate("e => e.relviz.state().timing")
    return f"{timing['total'] / timing['hovers']:.2f} ({timing['worst']:.1f})"


def measure_plotly(chromium: Browser, address: str, n: int) -> str:
    """Cells of one row for plotly; its select-all is a box around the whole of the first map."""
    start = time.perf_counter()
    page, traffic = open_page(chromium, f"{address}/?n={n}")
    page.locator(".js-plotly-plot .gl-canvas").first.wait_for(timeout=PATIENCE)
    opened = f"{time.perf_counter() - start:.2f}"
    page.wait_for_timeout(2_000 + n // 200)
    received = traffic.received
    box = box_of(page, ".js-plotly-plot .nsewdrag")
    before = len(traffic.sent)
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2, steps=3)
    start = time.perf_counter()
    page.mouse.up()
    took = answered(page, n, start)
    return cells(received, opened, max(traffic.sent[before:]), n, took, "not measured")


def box_of(page: Page, selector: str) -> FloatRect:
    """Where the first element of a kind is."""
    box = page.locator(selector).first.bounding_box()
    if box is None:
        raise TimeoutError(f"{selector} is not shown")
    return box


def answered(page: Page, n: int, start: float) -> float:
    """Seconds from the start until Python's answer names all rows."""
    page.locator(f"#told[data-count='{n}']").wait_for(timeout=PATIENCE)
    return time.perf_counter() - start


def cells(received: int, opened: str, sent: int, n: int, took: float, hover: str) -> str:
    """The figures as table cells."""
    return f"{received / 1e6:.2f} | {opened} | {sent:,} | {8 * sent / n:.3f} | {took:.2f} | {hover}"


if __name__ == "__main__":
    sys.exit(main())
