"""A rotated, scaled, permuted twin of a model, in the browser: relative maps coincide, absolute ones do not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import space_of
from relviz.models.catalogue import find
from tests.app import server
from tests.app.element import Maps
from tests.app.steps import settled

N = 500  # held-out digits


@pytest.fixture(scope="module")
def address(own_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a shelf file that names a space and its twin."""
    folder = tmp_path_factory.mktemp("twin")
    draw = np.random.default_rng(0)
    space = space_of(find("digits-cnn-s0"), load_dataset("digits"), lambda *_: None).numpy()
    width = space.shape[1]
    turn = np.linalg.qr(draw.normal(size=(width, width)))[0]
    twin = (3.7 * space.astype(np.float64) @ turn)[:, draw.permutation(width)]
    np.savez(folder / "spaces.npz", space=space, twin=twin.astype(np.float32))
    names = ("space", "twin")
    entries = [f"[models.{name}]\nsource = 'array:{folder}/spaces.npz#{name}'\ndata = 'digits'\n" for name in names]
    (folder / "relviz.toml").write_text("\n".join(entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELVIZ_SHELF", str(folder / "relviz.toml"))
        with server.serving() as found:
            yield found


def test_the_twin_lies_on_the_model_in_the_relative_overlay_only(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/?data=digits&a=space&b=twin&anchors=100&reduction=PCA")
    settled(page)
    maps = Maps(page)
    maps.press("Overlay")
    relative = maps.places(np.arange(N))
    assert relative.shape == (N, 2, 2)
    assert np.abs(relative[:, 0] - relative[:, 1]).max() < 1e-5 * maps.state()["panes"][0]["size"]["width"]
    # In their own units: the frame of an absolute map hides the scale, and its components the rotation.
    with page.expect_download() as download:
        maps.from_menu("Save CSV")
    download.value.save_as(tmp_path / "maps.csv")
    table = pd.read_csv(tmp_path / "maps.csv")
    gap = (table["Absolute A · space x"] - table["Absolute B · twin x"]).abs()
    assert gap.median() > table["Absolute A · space x"].std() / 2
    page.close()
