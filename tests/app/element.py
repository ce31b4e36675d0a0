"""The linked maps' element on an open page, as the browser tests drive it."""

from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from tests.app.linked_map_rows import made_up

APP = "tests/app/linked_map_app.py"
N = 2000
SPOTS = ("a", "b", "relative a", "relative b")


class Maps:
    """The element on an open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".relviz-maps")
        self.fields = page.locator(".relviz-maps .field")

    def state(self) -> dict[str, Any]:
        return self.root.evaluate("e => e.relviz.state()")

    def places(self, rows: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Where rows are drawn, rows x maps x 2, in pixels of each map's field."""
        return np.array(self.root.evaluate("(e, rows) => rows.map(row => e.relviz.row(row))", rows.tolist()))

    def corner(self, pane: int) -> "np.ndarray[Any, Any]":
        box = self.fields.nth(pane).bounding_box()
        assert box is not None
        return np.array([box["x"], box["y"]])

    def point_at(self, row: int, pane: int = 0) -> None:
        self.page.mouse.move(*(self.corner(pane) + self.places(np.array([row]))[0, pane]))

    def lasso(self, path: "np.ndarray[Any, Any]", pane: int = 0, key: str | None = None) -> None:
        """Drag around a path of field pixels, with a key held."""
        size = self.state()["panes"][pane]["size"]
        path = np.clip(path, 2, [size["width"] - 2, size["height"] - 2]) + self.corner(pane)
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*path[0])
        self.page.mouse.down()
        for x, y in path[1:]:
            self.page.mouse.move(x, y)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def from_menu(self, name: str) -> None:
        self.root.locator("summary").click()
        self.press(name)

    def expect_told(self, rows: "np.ndarray[Any, Any]") -> None:
        """Python knows exactly these rows as selected (their number and sum), and so does the element."""
        expect(self.page.locator("#told")).to_have_attribute("data-sum", str(rows.sum()), timeout=20_000)
        expect(self.page.locator("#told")).to_have_attribute("data-count", str(len(rows)))
        assert self.state()["selection"] == rows.tolist()


def rows_of(code: int) -> "np.ndarray[Any, Any]":
    return np.flatnonzero(made_up(N, 10)["codes"] == code)


def around(places: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """An ellipse of 40 corners around places."""
    middle, reach = places.mean(0), np.abs(places - places.mean(0)).max(0) * 1.3 + 3
    angle = np.linspace(0, 2 * np.pi, 40)
    return middle + np.stack([np.cos(angle), np.sin(angle)], 1) * reach


def alone(rows: "np.ndarray[Any, Any]", places: "np.ndarray[Any, Any]") -> int:
    """The row that lies farthest from its neighbours, so that the pointer cannot mean another."""
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    return int(rows[gaps.min(1).argmax()])
