"""The Python half of the linked maps: what is offered to browsers, what is believed of them, the bundle."""

import base64
import json
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from relviz.errors import BadChoice
from relviz.ui import linked_map as element
from relviz.ui.linked_map import Classes, Numbers, Pictures, Selection, View
from relviz.ui.linked_map.parts import offer_coordinates, windows
from relviz.ui.linked_map.protocol import FINE, pack_coordinates
from relviz.ui.linked_map.store import STORE, Store
from tests.app.linked_map_rows import made_up, picture

FOLDER = Path(element.__file__).parent


def columns_of(parcel: bytes) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """A parcel read back, written from the format's description and not from the code."""
    length = int.from_bytes(parcel[4:8], "little")
    header = json.loads(parcel[8 : 8 + length])
    types = {"u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "f32": np.float32}
    found = {
        one["name"]: np.frombuffer(parcel, types[one["type"]], one["count"], 8 + length + one["at"])
        for one in header["columns"]
        if one["type"] in types
    }
    return header["meta"], found


def sent(rows: np.ndarray, **more: object) -> dict[str, object]:
    bits = base64.b64encode(zlib.compress(np.packbits(rows, bitorder="little").tobytes())).decode()
    return {"selection": {"bits": bits, "turn": 0, "ids": "same", **more}}


@pytest.mark.parametrize("n", [FINE, FINE + 1])
def test_coordinates_come_back_to_the_last_digit_or_to_a_16_bit_step(n: int) -> None:
    view = View("", "", np.random.default_rng(0).normal(3, 40, (n, 2)).astype(np.float32), "", "")
    window = windows([view])[0]
    meta, columns = columns_of(pack_coordinates(view.coordinates, window))
    steps = 1 if n == FINE else 65_535
    assert columns["x"].dtype == (np.float32 if n == FINE else np.uint16)
    shares = np.stack([columns["x"], columns["y"]], 1).astype(float) / steps
    back = shares * meta["window"][2:] + meta["window"][:2]
    assert np.abs(back - view.coordinates).max() / max(window[2:]) < (1e-6 if n == FINE else 0.51 / 65_535)


def test_views_of_one_frame_share_a_window_and_others_do_not() -> None:
    def view(scale: float, frame: str) -> View:
        return View("", "", np.array([[0, 0], [scale, scale]], np.float32), "", frame)

    found = windows([view(1, "own"), view(1, "both"), view(5, "both")])
    assert found[1] == found[2] != found[0]
    assert len({offer_coordinates(view(1, "both").coordinates, window) for window in found[:2]}) == 2


def test_equal_content_has_one_key_that_another_server_does_not_have() -> None:
    values = np.arange(5)
    keys = {element.offer_values(values), element.offer_values(values.copy()), element.offer_values(values + 1)}
    assert len(keys) == 2
    stores = [Store(limit=10), Store(limit=10)]
    assert len({store.offer([b"a"], bytes, weight=1) for store in stores}) == 2


def test_a_page_holds_each_rows_picture() -> None:
    from io import BytesIO

    from PIL import Image

    pixels = picture(np.arange(300))
    offered = Pictures(pixels, "test").offer()
    assert len(offered["pages"]) == 2
    for row in (0, 17, 255, 256, 299):
        sheet = np.asarray(Image.open(BytesIO(STORE.take(offered["pages"][row // 256]) or b"")))
        line, place = divmod(row % 256, 16)
        assert np.array_equal(sheet[16 * line : 16 * line + 16, 16 * place : 16 * place + 16], pixels[row])


def test_what_the_browser_sent_of_other_rows_or_before_pythons_turn_is_not_believed() -> None:
    rows, asked = np.arange(100) % 3 == 0, Selection(np.arange(100) < 5, 2)

    def read(state: dict[str, object], asked: Selection | None) -> list[int]:
        return np.flatnonzero(element._read(state, ids="same", n=100, asked=asked).selected).tolist()

    assert read(sent(rows), None) == np.flatnonzero(rows).tolist()
    assert read(sent(rows, ids="others"), None) == [] == read({}, None)
    assert read(sent(rows, turn=1), asked) == [0, 1, 2, 3, 4] == read({}, asked)
    assert read(sent(rows, turn=2), asked) == np.flatnonzero(rows).tolist()


@pytest.mark.parametrize("row", [-1, 100, "7", None])
def test_a_click_beyond_the_rows_is_none(row: object) -> None:
    assert element._read({"clicked": {"row": row, "ids": "same"}}, ids="same", n=100, asked=None).clicked is None


DEFLATED = [base64.b64encode(zlib.compress(bytes(size))).decode() for size in (0, 10**7)]


@pytest.mark.parametrize("text", ["", "*", "AAAA", *DEFLATED])
def test_what_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(BadChoice, match="browser sent a selection"):
        element.decode(text, 100)


def test_parts_that_do_not_fit_are_refused_in_words() -> None:
    view = View("Map", "", np.zeros((3, 2), np.float32), "", "")
    classes = Classes("class", np.zeros(3, int), ["only"])
    rest = {"key": "k", "height": 100, "colour": "class", "columns": [classes], "ids": np.arange(3)}
    cases = [
        ("nothing to map", {}, []),
        ("the column 'n' has 2 rows", {"columns": [classes, Numbers("n", np.zeros(2))]}, [view]),
        ("called 'no'", {"colour": "no"}, [view]),
        ("not finite", {}, [View("Map", "", np.full((3, 2), np.nan), "", "")]),
        ("codes outside its 1 names", {"columns": [Classes("class", np.arange(3), ["only"])]}, [view]),
    ]
    for words, change, views in cases:
        with pytest.raises(BadChoice, match=words):
            element.linked_map(views, **{**rest, **change})


def test_the_message_of_a_rerun_is_small() -> None:
    def page() -> None:
        import streamlit as st

        from tests.app.test_linked_map_parts import message_size

        st.session_state["size"] = message_size()

    app = AppTest.from_function(page).run(timeout=60)
    assert not app.exception
    assert app.session_state["size"] < 20_000


def message_size() -> int:
    """Bytes of the element's message for 100,000 rows with pictures."""
    sizes: list[int] = []
    rows = made_up(100_000, 10)
    pictures = Pictures(np.zeros((100_000, 8, 8), np.uint8), "blank")
    real = element._element()

    def spy(**message: object) -> object:
        sizes.append(len(json.dumps(message["data"])))
        return real(**message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(element, "_element", lambda: spy)
        element.linked_map(
            [View("a", "", rows["a"], "#000000", "a")],
            ids=np.arange(100_000),
            columns=[Classes("class", rows["codes"], [str(code) for code in range(10)])],
            colour="class",
            key="maps",
            height=400,
            pictures=pictures,
        )
    return sizes[0]


def test_the_bundle_is_the_build_of_the_source(tmp_path: Path) -> None:
    source = FOLDER / "frontend"
    assert (source / "node_modules").is_dir(), "run 'make frontend' first; it needs Node 20 with npm"
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=source, check=True)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in (FOLDER / "build").iterdir()}
    assert set(built) == {"linked_map.js", "linked_map.css"}


def test_the_typescript_is_sound_and_its_own_tests_pass() -> None:
    source = FOLDER / "frontend"
    npm = ["npm", "run", "--silent"]
    for command in (["node_modules/.bin/tsc", "--noEmit"], [*npm, "lint"], [*npm, "test"]):
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_dependencies_are_exact_and_name_no_registry() -> None:
    package = json.loads((FOLDER / "frontend" / "package.json").read_text())
    lock = json.loads((FOLDER / "frontend" / "package-lock.json").read_text())
    assert "dependencies" not in package  # nothing of others is in the bundle
    locked = {name.removeprefix("node_modules/"): one["version"] for name, one in lock["packages"].items() if name}
    assert package["devDependencies"].items() <= locked.items()
    entries = [one for name, one in lock["packages"].items() if name]
    assert not [one for one in entries if "resolved" in one or "integrity" not in one]
