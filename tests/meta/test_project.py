"""The project's own promises: pure imports, one palette, a README that tells the truth."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import relviz
from relviz.core.anchors import STRATEGIES
from relviz.core.measures import MEASURES
from relviz.core.projections import PROJECTIONS
from relviz.core.translations import TRANSLATIONS
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
        ("import relviz.usecases.table", {"streamlit", "plotly", "umap", "sklearn"}),
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
    names = [*MEASURES, *STRATEGIES, *PROJECTIONS, *TRANSLATIONS, *DATASETS]
    settings = sorted(set(re.findall(r"RELVIZ_[A-Z]+", (ROOT / "relviz" / "settings.py").read_text())))
    makefile = (ROOT / "Makefile").read_text()
    cli = "".join(path.read_text() for path in (ROOT / "relviz" / "cli").glob("*.py"))
    inner = {"check", "browser"}  # parts of make test
    targets = [f"make {name}" for name in re.findall(r"^([a-z]+):", makefile, re.MULTILINE) if name not in inner]
    commands = [f"relviz {name}" for name in re.findall(r'commands.add_parser\("([a-z-]+)"', cli)]
    assert len(targets) > 8 and len(commands) > 8
    missing = [name for name in pages + names + settings + targets + commands if name not in readme]
    assert not missing


def test_changelog_and_citation_name_the_version() -> None:
    released = re.findall(r"^## \[(\d[^]]*)\] - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert released[0] == relviz.__version__
    assert cited == [relviz.__version__]


def test_the_four_papers_are_cited() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"arXiv:(\d{4}\.\d{5})", citation) == ["2209.15430", "2310.01211", "2311.00664", "2406.15057"]


def test_hooks_run_the_ruff_of_the_checks() -> None:
    pins = [
        re.findall(r"ruff==[0-9.]+", (ROOT / name).read_text())
        for name in ("pyproject.toml", ".pre-commit-config.yaml")
    ]
    assert pins[1] == pins[0] * 2


def test_installed_packages_say_that_they_are_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["relviz"]
    assert (ROOT / "relviz" / "py.typed").exists()


def test_functions_and_modules_stay_small() -> None:
    lengths, modules = {}, {}
    for path in [ROOT / "app.py", *(ROOT / "relviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        modules[path] = len(path.read_text().splitlines())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[f"{path}:{node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    assert {name: n for name, n in lengths.items() if n > 60} == {}
    scripts = list((ROOT / "relviz" / "ui").rglob("frontend/src/*.ts"))
    assert scripts
    modules |= {path: len(path.read_text().splitlines()) for path in scripts}
    assert {path: n for path, n in modules.items() if n > 300} == {}


@pytest.mark.parametrize("layer", ["core", "encoding", "usecases", "jobs"])
def test_packages_stay_small(layer: str) -> None:
    packages = {package.parent for package in (ROOT / "relviz" / layer).rglob("__init__.py")}
    modules = {package: {path.name for path in package.glob("*.py")} - {"__init__.py"} for package in packages}
    assert {package: len(names) for package, names in modules.items() if len(names) > 12} == {}


def test_installed_packages_are_those_there_are() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "relviz").rglob("__init__.py")}
    assert {name for name in listed if not name.startswith("relviz.assets")} == there


@pytest.mark.parametrize("document", [*sorted(Path("docs").rglob("*.md")), Path("README.md")], ids=str)
def test_documents_name_files_that_are_there(document: Path) -> None:
    folders = "relviz|pages|tests|docs|benchmarks|examples"
    named = set(re.findall(rf"(?<![\w/.-])((?:{folders})/[\w/-]*(?:\.\w+|/))", document.read_text()))
    assert not {path for path in named if not Path(path).exists()}
