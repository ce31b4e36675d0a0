"""The project's own promises: pure imports, one palette, a README that tells the truth."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from relviz.core.anchors import STRATEGIES
from relviz.core.measures import MEASURES
from relviz.core.stitching import methods
from relviz.data.catalogue import DATASETS
from relviz.plots import palette

ROOT = Path(__file__).resolve().parents[2]


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import relviz", {"torch", "streamlit", "plotly", "umap", "sklearn"}),
        ("import relviz.cli", {"torch", "streamlit", "plotly", "umap", "sklearn"}),
        ("import relviz.service.run", {"streamlit", "plotly", "umap", "sklearn"}),
    ],
)
def test_imports_are_light(statement: str, unwanted: set[str]) -> None:
    assert not imported_by(statement) & unwanted


def test_the_import_test_can_fail() -> None:
    assert "torch" in imported_by("import torch")


def test_the_themes_repeat_the_palette() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    for theme in (config["theme"]["light"], config["theme"]["dark"]):
        assert theme["primaryColor"] == palette.MODEL_A
        assert theme["chartCategoricalColors"] == list(palette.CLASSES)


def test_the_readme_names_everything_there_is() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = [path.stem.capitalize() for path in (ROOT / "pages").glob("*.py") if path.stem != "frame"]
    names = [*MEASURES, *STRATEGIES, *methods(centred=False), *DATASETS]
    settings = ["RELVIZ_CACHE", "RELVIZ_DATA"]
    targets = ["make app", "make test", "make models"]
    commands = ["relviz models", "relviz datasets", "relviz compare", "relviz stitch", "relviz train"]
    missing = [name for name in pages + names + settings + targets + commands if name not in readme]
    assert not missing
