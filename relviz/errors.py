"""Everything relviz can refuse, as one tree.

RelvizError                 one sentence for the user, and a hint what to do
├── UnknownName             no model, data set, strategy, measure of that name
├── BadChoice               a value outside its range (anchors, k, seed, ...)
├── DamagedAsset            a bundled file is missing or not what the manifest says
├── MissingData             data needed for training is not on this machine
└── PortBusy                the address to serve on is taken
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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


class UnknownName(RelvizError):
    """A name that is on no list.

    >>> print(UnknownName("model", "fmnist-cn-s0", ["fmnist-cnn-s0", "fmnist-mlp-s0"]))
    There is no model called 'fmnist-cn-s0'. Did you mean 'fmnist-cnn-s0'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names) or 'none'}."
        super().__init__(f"There is no {kind} called '{name}'.", hint)


class BadChoice(RelvizError):
    """A value outside its range."""


class DamagedAsset(RelvizError):
    """A bundled file is missing or its bytes are not those of the manifest."""


class MissingData(RelvizError):
    """Data needed for training is not on this machine."""


class PortBusy(RelvizError):
    """The address to serve on is taken."""
