"""What a translation says about itself, and the table of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relviz.core.registry import Entry, Option, Registry, flaw_of
from relviz.core.translations.frames import NORMALISE
from relviz.core.translations.translation import Translation


@dataclass(frozen=True, kw_only=True)
class TranslationEntry(Entry[Callable[..., Translation]]):
    """One registered translation: function(source anchors, target anchors, **options).

    `invariances` are those of the source space, anchors and vectors alike, with more anchors than dimensions.

    Attributes
    ----------
    comes_back: when a space translated to itself comes back, in the default frame: "always", "full rank" (as many
        independent anchors as dimensions, one more where the frame is centred) or "never".
    slow: whether it is trained, step by step, instead of found in closed form.
    """

    comes_back: str
    slow: bool = False

    def flaw(self) -> str | None:
        """What is wrong with an entry that another package brings, or None."""
        frames = [option.default for option in self.options if option.name == "normalise"]
        if len(frames) != 1 or frames[0] not in NORMALISE:
            return f"it has no option `normalise` with one of {', '.join(NORMALISE)}, which every translation has"
        return super().flaw()


RIGID = frozenset({"orthogonal", "translation", "permutation"})
CUT = (
    "Directions of the anchors weaker than max(k, d) times the precision of the given numbers (1.2e-7 of float32), "
    "relative to the strongest, count as empty."
)
_UNIT = Option("unit_norm", False, "rows to unit length, the target's mean norm given back")


def framed(frame: str) -> tuple[Option, Option]:
    """The options that every translation has, with its default frame.

    Raises nothing.

    >>> [option.default for option in framed("centre")]
    ['centre', False]
    """
    return Option("normalise", frame, "what is done to each feature first", choices=NORMALISE), _UNIT


TRANSLATIONS: Registry[TranslationEntry] = Registry(
    "relviz.translations",
    flaw_of(TranslationEntry),
    reserved=frozenset({"absolute", "control", "inverse", "product", "relative", "standard"}),  # of stitching methods
)
