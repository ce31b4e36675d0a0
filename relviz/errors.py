"""Everything relviz can refuse, as one tree.

RelvizError                 one sentence for the user, and a hint what to do
├── UnknownName             no model, data set, strategy, measure of that name
├── BadChoice               a value outside its range (anchors, k, seed, ...)
├── DamagedAsset            a bundled file is missing or not what the manifest says
├── BadFile                 a user's file is missing, empty, damaged, or not what it is read as
├── MissingData             data is not on this machine and may not be downloaded
├── MissingPackage          an optional package is not installed
├── OutOfMemory             the machine's memory does not hold the work, on any device
├── Busy                    too many jobs wait, of everyone or of this visitor
├── TimedOut                a job took longer than any may
├── WorkerLost              the process that computed ended before its answer
├── Cancelled               nobody wants the answer any more
└── PortBusy                the address to serve on is taken
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NAMED = 12  # names that a refusal lists
_SHOWN = 100  # characters of a name that it repeats


class RelvizError(Exception):
    """A refusal: `sentence` says what is wrong and where, `hint` what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; the default would pass only the sentence.
        return (_rebuild, (type(self), self.sentence, self.hint))


def _rebuild(kind: type[RelvizError], sentence: str, hint: str) -> RelvizError:
    error = kind.__new__(kind)
    RelvizError.__init__(error, sentence, hint)
    return error


def one_line(error: BaseException, *, most: int = 160) -> str:
    """What an error of another's code says, as a part of a sentence: one line of at most so many characters.

    >>> one_line(ValueError("no\\n  such thing"), most=7)
    'no such'
    """
    return " ".join(str(error).split())[:most]


class UnknownName(RelvizError):
    """A name that is on no list.

    >>> print(UnknownName("model", "fmnist-cn-s0", ["fmnist-cnn-s0", "fmnist-mlp-s0"]))
    There is no model called 'fmnist-cn-s0'. Did you mean 'fmnist-cnn-s0'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names[:_NAMED]) or 'none'}{more}."
        super().__init__(f"There is no {kind} called '{name[:_SHOWN]}'.", hint)


class BadChoice(RelvizError):
    """A value outside its range."""


class DamagedAsset(RelvizError):
    """A bundled file is missing or its bytes are not those of the manifest."""


class BadFile(RelvizError):
    """A user's file is missing, empty, damaged, or not what it is read as."""


class MissingData(RelvizError):
    """Data is not on this machine and may not be downloaded."""


class MissingPackage(RelvizError):
    """An optional package is not installed.

    >>> print(MissingPackage("timm==1.0", "Models of timm"))
    Models of timm need the package timm, which is not installed. Install it with 'pip install timm==1.0'.
    """

    def __init__(self, requirement: str, purpose: str) -> None:
        name = requirement.split("==")[0]
        sentence = f"{purpose} need the package {name}, which is not installed."
        super().__init__(sentence, f"Install it with 'pip install {requirement}'.")


class OutOfMemory(RelvizError):
    """The machine's memory does not hold the work, on any device."""


class Busy(RelvizError):
    """Too many jobs wait, of everyone or of this visitor."""


class TimedOut(RelvizError):
    """A job took longer than any may."""


class WorkerLost(RelvizError):
    """The process that computed ended before its answer."""


class Cancelled(RelvizError):
    """Nobody wants the answer any more; raised inside a use case by its progress callback."""


class PortBusy(RelvizError):
    """The address to serve on is taken."""
