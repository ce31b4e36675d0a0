"""Data that shrink or are tiny: controls keep within what there is, and the page answers."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from relviz.jobs import answers
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.ui import wishes
from tests.app.test_pages import FRAME, settle, text

ODD = ("good", "constant", "zero", "narrow", "two", "triples", "huge", "shifted")


SHELF = """
[data.small]
path = "small.npz"

[data.small-images-under-a-name-of-more-than-eighty-characters-such-as-a-careful-person-gives]
path = "small.npz"

[data.odd]
path = "odd.npz#key=good&labels=y"
""" + "".join(f'[models.{name}]\nsource = "array:odd.npz#{name}"\n' for name in ODD)


@pytest.fixture(scope="module")
def folder(own_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A shelf file of data that the tests write; the workers are started where it is known."""
    made = tmp_path_factory.mktemp("shelf")
    (made / "relviz.toml").write_text(SHELF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELVIZ_SHELF", str(made / "relviz.toml"))
        broker = Broker(LocalEngine(), answers=answers)
        patch.setattr(wishes, "broker", lambda: broker)
        yield made
        broker.close()


def write(folder: Path, rows: int, classes: int = 3) -> None:
    draw = np.random.default_rng(rows)
    images = draw.integers(0, 255, (rows, 8, 8), np.uint8)
    np.savez(folder / "small.npz", images=images, y=np.arange(rows) % classes)


def open_explore(reduction: str = "PCA", **query: str) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    for name, value in {"data": "small", "reduction": reduction, **query}.items():
        app.query_params[name] = value
    return settle(app.run())


def complaints(app: AppTest) -> list[str]:
    return [element.value for element in [*app.error, *app.exception]]


def test_controls_follow_data_that_shrink_and_grow_under_an_open_page(folder: Path) -> None:
    write(folder, 400)
    app = open_explore(anchors="300", k="60")
    assert (app.slider(key="anchors").value, app.slider(key="k").value) == (300, 60)
    for rows, anchors, k in ((200, 160, 39), (500, 160, 39), (60, 48, 11)):
        write(folder, rows)
        time.sleep(0.5)
        settle(app.run())
        assert complaints(app) == []
        assert (app.slider(key="anchors").value, app.slider(key="k").value) == (anchors, k)
        assert f"**{anchors} anchors**" in text(app)
        assert app.slider(key="k").max == min(100, rows // 5 - 1)


@pytest.mark.parametrize("rows", [10, 12, 15, 20])
def test_tiny_data_get_a_k_that_fits_and_maps(folder: Path, rows: int) -> None:
    write(folder, rows)
    time.sleep(0.5)
    app = open_explore()
    assert complaints(app) == []
    assert app.get("bidi_component") and "Read through" in text(app)


def write_odd(folder: Path, rows: int) -> None:
    draw = np.random.default_rng(rows)
    good, row = draw.normal(size=(rows, 6)), np.arange(rows)
    spaces = {
        "good": good,
        "constant": np.full((rows, 6), 0.1),
        "zero": np.zeros((rows, 6)),
        "narrow": good[:, :1],
        "two": good[row % 2],
        "triples": good[row // 3],
        "huge": 3e37 * good,
        "shifted": good + 1e6,
    }
    np.savez(folder / "odd.npz", y=row % 2, **{name: spaces[name].astype(np.float32) for name in ODD})


@pytest.mark.parametrize("rows", [12, 60])
@pytest.mark.parametrize("reduction", ["PCA", "UMAP", "t-SNE"])
@pytest.mark.parametrize("model", ODD[1:])
def test_an_odd_space_gets_its_page(folder: Path, model: str, reduction: str, rows: int) -> None:
    write_odd(folder, rows)
    time.sleep(0.5)
    app = open_explore(reduction, data="odd", a=model, b="good")
    assert complaints(app) == []
    assert app.get("bidi_component")
    still = "**A does not vary** over the held-out samples" in text(app)
    assert still == (model in ("constant", "zero"))
    # Through anchors, two samples of one direction are one, and so are all samples far from the origin.
    alike = model in ("narrow", "shifted") and "**Relative A does not vary** over the held-out samples" in text(app)
    assert still or alike or "Read through" in text(app)


def test_one_class_says_that_accuracy_tells_nothing(folder: Path) -> None:
    write(folder, 60, classes=1)
    time.sleep(0.5)
    app = open_explore()
    assert complaints(app) == []
    assert "one class, so accuracy tells nothing" in text(app)
    app.switch_page(str(FRAME.parent / "stitching.py"))
    settle(app.run())
    assert complaints(app) == []
    assert "one class, so accuracy tells nothing" in text(app)


def test_a_name_that_is_longer_than_its_box_is_told_whole_on_hover(folder: Path) -> None:
    write(folder, 60)
    time.sleep(0.5)
    name = next(line[6:-1] for line in SHELF.splitlines() if "eighty" in line)
    app = open_explore(data=name)
    assert complaints(app) == []
    app.run()
    assert name.replace("_", r"\_") in app.selectbox(key="data").help
    assert "Chosen" not in app.selectbox(key="a").help
