"""Public functions of the core say what a reader must know: shapes, range, errors, source, and an example that runs."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from relviz.usecases.listing import REGISTRIES

CORE = Path(__file__).resolve().parents[2] / "relviz" / "core"
DONE = ("measures", "projections")
SHAPE = re.compile(r"`?\b[a-z\d] x [a-z\d]\b`?")
RANGE = re.compile(
    r"[\[(]-?[\dn][^\]()\n]*, ?[^\]()\n]*[\])]|\b(0|1|zero) or more\b|\babove 0\b|\bat least \d|\bof any size\b|"
    r"\b\d to (n|k|c|m|\d)\b|\bvariance 1\b|\b(row|anchor) numbers\b"
)
ERRORS = re.compile(r"^Raises\n------$|\bRaises nothing\b", re.MULTILINE)
SOURCE = re.compile(r"\bSource: |\bfrom \d{4}\.\d{5}\b")
ELSEWHERE = re.compile(r"\b[Aa]s (in |of )?`[\w.]+`")
NUMBERS = re.compile(r"Float|Int\b|\bfloat\b|MeasureValue")


def is_internal(path: Path) -> bool:
    """Whether a module holds parts of one caller each, which has the docstring."""
    return path.name.endswith("kernels.py")


FUNCTIONS = {
    f"{path.relative_to(CORE)}:{node.name}": node
    for path in sorted(CORE.rglob("*.py"))
    if not is_internal(path) and path.relative_to(CORE).parts[0] in DONE
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
}
COMPILING = ("reduction.py:umap", "reduction.py:pacmap")  # for seconds; tests/core/test_reduction.py runs them


def lacking(node: ast.FunctionDef) -> set[str]:
    """What a function's docstring and annotations leave open."""
    text = ast.get_docstring(node) or ""
    result = ast.unparse(node.returns) if node.returns else ""
    types = f"{ast.unparse(node.args)} {result}"
    untold = "Tensor" in re.sub(r"\w+\[Tensor, [^\]]*\]", "", types)  # without a shape by jaxtyping
    found = {
        "shapes": not untold or SHAPE.search(text),
        "range": not NUMBERS.search(result) or RANGE.search(text),
        "errors": ERRORS.search(text),
        "an example": ">>> " in text,
        "what it refers to": not ELSEWHERE.search(text),
    }
    return {what for what, told in found.items() if not told}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_leaves_nothing_open(name: str) -> None:
    known = {"an example"} if name in COMPILING else set()
    assert lacking(FUNCTIONS[name]) <= known


METHODS = {f"{kind}, {name}": entry for kind, found in REGISTRIES.items() for name, entry in found.items()}


@pytest.mark.parametrize("name", [name for name in METHODS if name.split(",")[0] in DONE])
def test_a_method_names_the_source_of_its_formula(name: str) -> None:
    assert SOURCE.search(inspect.getdoc(METHODS[name].function) or "")


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
