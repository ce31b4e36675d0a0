"""Reading the few old data files that are pickles (CIFAR, Planetoid) without unpickling.

Python's own parser takes a pickle apart into instructions and executes none. Here those that build numbers, words,
lists, tables, NumPy arrays and sparse matrices are followed; any other is refused, so a file can name no code.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data.files import read_bytes
from relviz.errors import BadFile

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS = ("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT")
_WORDS = ("SHORT_BINSTRING", "BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES")
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_plain_pickle(path: Path) -> Any:
    """What a pickle of plain values, arrays and sparse matrices holds; byte strings of Python 2 become words (Latin-1).

    Raises
    ------
    BadFile: missing, empty, damaged, or it holds anything else.
    """
    raw = read_bytes(path)
    try:
        return _Machine().run(raw)
    except _Foreign as error:
        raise BadFile(f"{path} holds {error}, which is not read.", "Take the file from its original source.") from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BadFile(f"{path} is damaged or no data file.", "Take the file from its original source.") from error


class _Foreign(Exception):
    """Something that is no plain data."""


class _Array:
    """A NumPy array or element type under construction."""

    def __init__(self, *_: Any) -> None:
        self.value: NDArray[Any]

    def fill(self, state: Any) -> None:
        _, shape, kind, in_columns, content = state
        content = content.encode("latin-1") if isinstance(content, str) else content
        self.value = np.frombuffer(content, kind.value).reshape(shape, order="F" if in_columns else "C")


class _Kind:
    """The type of an array's elements: numbers only."""

    def __init__(self, code: str, *_: Any) -> None:
        if code.lstrip("<>|=")[:1] not in tuple("biuf"):
            raise _Foreign(f"an array of '{code}'")
        self.value = np.dtype(code)

    def fill(self, state: Any) -> None:
        self.value = self.value.newbyteorder(state[1])


class _Sparse(dict[str, Any]):
    """A compressed sparse row matrix: its parts by name."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def fill(self, state: Any) -> None:
        self.update(state)


def _encoded(text: str, _: str) -> bytes:
    return text.encode("latin-1")


_KNOWN: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy._core.multiarray _reconstruct": _Array,
    "numpy ndarray": _Array,
    "numpy dtype": _Kind,
    "scipy.sparse.csr csr_matrix": _Sparse,
    "scipy.sparse._csr csr_matrix": _Sparse,
    "collections defaultdict": lambda *_: {},
    "__builtin__ list": list,
    "builtins list": list,
    "_codecs encode": _encoded,
}


class _Machine:
    """The stack and the memory that a pickle's instructions work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def run(self, raw: bytes) -> Any:
        for operation, argument, _ in pickletools.genops(raw):
            name = operation.name
            if name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name in _NUMBERS or name in _WORDS:
                self.stack.append(argument)
            elif name in _TUPLES:
                self.stack[-_TUPLES[name] :] = [tuple(self.stack[-_TUPLES[name] :])]
            elif name not in ("PROTO", "FRAME", "STOP"):
                step = getattr(self, f"do_{name.lower()}", None)
                if step is None:
                    raise _Foreign(f"the pickle instruction {name}")
                step(argument)
        (result,) = self.stack
        return _finished(result)

    def since_mark(self) -> list[Any]:
        """Take what was pushed since the last mark."""
        begin = self.marks.pop()
        found = self.stack[begin:]
        del self.stack[begin:]
        return found

    def do_mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self.since_mark()))

    def do_empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def do_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def do_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def do_append(self, _: Any) -> None:
        value = self.stack.pop()
        self.stack[-1].append(value)

    def do_appends(self, _: Any) -> None:
        values = self.since_mark()
        self.stack[-1].extend(values)

    def do_setitem(self, _: Any) -> None:
        key, value = self.stack[-2:]
        del self.stack[-2:]
        self.stack[-1][key] = value

    def do_setitems(self, _: Any) -> None:
        values = self.since_mark()
        self.stack[-1].update(zip(values[::2], values[1::2], strict=True))

    def do_binput(self, place: int) -> None:
        self.memory[place] = self.stack[-1]

    do_long_binput = do_binput

    def do_memoize(self, _: Any) -> None:
        self.memory[len(self.memory)] = self.stack[-1]

    def do_binget(self, place: int) -> None:
        self.stack.append(self.memory[place])

    do_long_binget = do_binget

    def do_global(self, name: str) -> None:
        if name not in _KNOWN:
            raise _Foreign(f"the Python object '{name.replace(' ', '.')}'")
        self.stack.append(_KNOWN[name])

    def do_stack_global(self, _: Any) -> None:
        module, name = self.stack[-2:]
        del self.stack[-2:]
        self.do_global(f"{module} {name}")

    def do_reduce(self, _: Any) -> None:
        made_by, arguments = self.stack[-2:]
        if made_by not in _KNOWN.values():
            raise _Foreign("a call of a value")
        self.stack[-2:] = [made_by(*arguments)]

    do_newobj = do_reduce

    def do_build(self, _: Any) -> None:
        state = self.stack.pop()
        self.stack[-1].fill(state)


def _finished(value: Any) -> Any:
    """The value with the arrays in place of their builders; tables and sparse parts lie one level deep."""
    if isinstance(value, _Array):
        return value.value
    return {key: _finished(part) for key, part in value.items()} if isinstance(value, dict) else value
