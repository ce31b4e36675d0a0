"""Public functions of the core say what a reader must know: shapes, range, errors, source, and an example that runs."""

import ast
from pathlib import Path

import pytest

from relviz.laws.docstrings import lacking, names_source
from relviz.usecases.listing import REGISTRIES

CORE = Path(__file__).resolve().parents[2] / "relviz" / "core"


def is_internal(path: Path) -> bool:
    """Whether a module holds parts of one caller each, which has the docstring."""
    return path.name.endswith("kernels.py")


FUNCTIONS = {
    f"{path.relative_to(CORE)}:{node.name}": node
    for path in sorted(CORE.rglob("*.py"))
    if not is_internal(path)
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
}
COMPILING = (
    "reductions/umap_view.py:umap",
    "reductions/pacmap_view.py:pacmap",
)  # for seconds; tests/core/test_reductions.py runs them


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_leaves_nothing_open(name: str) -> None:
    known = {"an example"} if name in COMPILING else set()
    assert lacking(FUNCTIONS[name]) <= known


METHODS = {
    f"{kind}, {name}": entry.function
    for kind, found in REGISTRIES.items()
    if kind != "stitching methods"  # made of the others, of which each names its source
    for name, entry in found.items()
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_names_the_source_of_its_formula(name: str) -> None:
    assert names_source(METHODS[name])


def parsed(source: str) -> ast.FunctionDef:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_the_search_for_gaps_finds_them() -> None:
    bare = parsed('def f(x: Tensor) -> Float[Tensor, "n k"]:\n    """As `cosine`, twice."""')
    assert lacking(bare) == {"shapes", "range", "errors", "an example", "what it refers to"}
    told = '''def f(x: Float[Tensor, "n d"]) -> Float[Tensor, n]:
        """Lengths, 0 or more. Raises nothing.

        >>> f(torch.ones(1, 1))
        """'''
    assert lacking(parsed(told)) == set()
