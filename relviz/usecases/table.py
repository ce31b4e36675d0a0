"""One door to every use case: a request in, its result out.

A module of this package declares each of its use cases once, under the function that computes it: `declare(Compare,
Comparison, one_stage(compare))`. Jobs, stored answers and commands find everything they need there, by the request's
type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, TypeAlias, get_args, get_type_hints

from relviz.core.anchors import STRATEGIES
from relviz.core.registry import import_modules
from relviz.progress import Progress, silent
from relviz.requests import Request
from relviz.types import ModelName

Work: TypeAlias = Callable[[Any, Progress], Any]

TENSORS = "tensors"  # the lane of the worker that owns networks, spaces and the GPU
REDUCER = "reducer"  # the lane of the worker that keeps compiled reducers warm


@dataclass(frozen=True)
class Stage:
    """A step of a use case, done by the worker of one lane.

    Attributes
    ----------
    work: a function of a module, so that its name can be sent to another process. Takes the request, or what the
        stage before gave, and a callback that is told how far the whole request is.
    """

    lane: str
    work: Work


Stages: TypeAlias = Callable[[Any], tuple[Stage, ...]]


@dataclass(frozen=True)
class UseCase:
    """What answers one kind of request.

    Attributes
    ----------
    answer: the answer's type, as `relviz.jobs.codec` reads it.
    stages: the steps from a request to its answer.
    whole_shelf: whether answers depend on every model that fits the data, named or not.
    """

    answer: Any
    stages: Stages
    whole_shelf: bool = False


_USE_CASES: dict[type, UseCase] = {}


def one_stage(work: Work) -> Stages:
    """The stages of what one function computes, given the request."""
    return lambda _request: (Stage(TENSORS, work),)


def declare(request: type[Request], answer: Any, stages: Stages, *, whole_shelf: bool = False) -> None:
    """Enter a use case into the table; parameters as the attributes of `UseCase`."""
    _USE_CASES[request] = UseCase(answer, stages, whole_shelf)


def use_case(request: type[Request]) -> UseCase:
    """What answers this kind of request.

    Raises
    ------
    KeyError: nothing does.
    """
    _import_all()
    return _USE_CASES[request]


def use_cases() -> dict[type, UseCase]:
    """What answers each kind of request."""
    _import_all()
    return dict(_USE_CASES)


def complete(request: Any) -> Any:
    """The request with the model filled in whose space its anchors are chosen in, or without one that nothing reads.

    Requests that ask the same are equal then, whatever their `Anchors.source` said.
    """
    anchors = getattr(request, "anchors", None)
    if anchors is None:
        return request
    reads = anchors.strategy in STRATEGIES and "vectors" in STRATEGIES[anchors.strategy].needs
    source = (anchors.source or _leading_model(request)) if reads else ""
    return request if source == anchors.source else replace(request, anchors=replace(anchors, source=source))


def run(request: Request, progress: Progress = silent) -> Any:
    """The answer to a request, computed here and now.

    Raises
    ------
    RelvizError: the request cannot be met; the sentence says why.
    """
    found: Any = complete(request)
    for stage in use_case(type(request)).stages(found):
        found = stage.work(found, progress)
    return found


@cache
def _import_all() -> None:
    """Have every module of this package declare what it answers."""
    import_modules("relviz.usecases")


def _leading_model(request: Any) -> str:
    """The first model that a request names, in the order of its fields; empty where it names none."""
    kind: Any = type(request)
    named = (getattr(request, name) for name in _model_fields(kind))
    first = next((value for value in named if value), "")
    return first if isinstance(first, str) else str(first[0])


@cache
def _model_fields(kind: Any) -> tuple[str, ...]:
    """Names of the fields that hold a model's name, or several."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(one.name for one in fields(kind) if ModelName in (hints[one.name], *get_args(hints[one.name])[:1]))
