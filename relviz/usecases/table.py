"""One door to every use case: a request in, its result out.

A module of this package declares each of its use cases once, under the function that computes it: `declare(Compare,
Comparison, one_stage(compare))`. Jobs, stored answers and commands find everything they need there, by the request's
type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from relviz.core.registry import import_modules
from relviz.progress import Progress, silent
from relviz.requests import Request

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


def run(request: Request, progress: Progress = silent) -> Any:
    """The answer to a request, computed here and now.

    Raises
    ------
    RelvizError: the request cannot be met; the sentence says why.
    """
    found: Any = request
    for stage in use_case(type(request)).stages(request):
        found = stage.work(found, progress)
    return found


@cache
def _import_all() -> None:
    """Have every module of this package declare what it answers."""
    import_modules("relviz.usecases")
