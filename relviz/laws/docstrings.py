"""What a docstring of the core must say, and what one leaves open."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

from relviz.laws.outcome import Outcome

_SHAPE = re.compile(r"`?\b[a-z\d] x [a-z\d]\b`?")
_RANGE = re.compile(
    r"[\[(]-?[\dn][^\]()\n]*, ?[^\]()\n]*[\])]|\b(0|1|zero) or more\b|\babove 0\b|\bat least \d|\bof any\s+size\b|"
    r"\[\d, min\(|\b\d to (n|k|c|m|\d)\b|\bvariance 1\b|\b(row|anchor) numbers\b"
)
_ERRORS = re.compile(r"^Raises\n------$|\bRaises nothing\b", re.MULTILINE)
_SOURCE = re.compile(r"\bSource: |\bfrom \d{4}\.\d{5}\b")
_ELSEWHERE = re.compile(r"\b[Aa]s (in |of )?`[\w.]+`")
_NUMBERS = re.compile(r"Float|Int\b|\bfloat\b|MeasureValue")


def lacking(node: ast.FunctionDef) -> set[str]:
    """What a function's docstring and annotations leave open.

    >>> sorted(lacking(ast.parse('def half(x: float) -> float:\\n    "Half of it."').body[0]))
    ['an example', 'errors', 'range']
    """
    text = ast.get_docstring(node) or ""
    result = ast.unparse(node.returns) if node.returns else ""
    types = f"{ast.unparse(node.args)} {result}"
    untold = "Tensor" in re.sub(r"\w+\[Tensor, [^\]]*\]", "", types)  # without a shape by jaxtyping
    found = {
        "shapes": not untold or _SHAPE.search(text),
        "range": not _NUMBERS.search(result) or _RANGE.search(text),
        "errors": _ERRORS.search(text),
        "an example": ">>> " in text,
        "what it refers to": not _ELSEWHERE.search(text),
    }
    return {what for what, told in found.items() if not told}


def names_source(function: Callable[..., Any]) -> bool:
    """Whether a method's docstring says where its formula comes from.

    >>> names_source(len)
    False
    """
    return bool(_SOURCE.search(inspect.getdoc(function) or ""))


def docstring_is_complete(function: Callable[..., Any]) -> Outcome:
    """Whether a method's docstring leaves nothing open.

    >>> from relviz.core.measures import MEASURES
    >>> docstring_is_complete(MEASURES["cka"].function).kept
    True
    """
    node = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    open_points = sorted(lacking(node)) if isinstance(node, ast.FunctionDef) else ["everything: it is no function"]
    open_points += [] if names_source(function) else ["the source of the formula"]
    return Outcome(not open_points, f"lacks {', '.join(open_points)}" if open_points else "nothing is lacking")
