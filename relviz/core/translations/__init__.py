"""Translations: direct maps from one absolute space to another, fitted on anchors.

All go the same way, in the order of 2311.00664: both spaces into the frame of their anchors, optionally rows to unit
length, zero padding where the map is orthogonal, the map, and all the way back. They differ in the map and in which
frame is their default: per-feature spreads help where encoders have outlier features, and destroy a rotation of a space
that is longer in some directions than in others. A new one is one function with its entry under it, in a
module of this package.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from relviz.core.options import check_options
from relviz.core.registry import import_modules
from relviz.core.translations.entry import TRANSLATIONS, TranslationEntry
from relviz.core.translations.translation import Translation
from relviz.errors import UnknownName

__all__ = ["TRANSLATIONS", "Translation", "TranslationEntry", "translate"]

import_modules(__name__)


def translate(
    source: Float[Tensor, "k d"], target: Float[Tensor, "m e"], *, name: str, **options: float | int | bool | str
) -> Translation:
    """A registered translation by name; what it gives is finite, of any size.

    Parameters
    ----------
    source, target: vectors of the same k anchors in the two spaces.
    name: a key of `TRANSLATIONS`.
    options: keywords that its entry declares.

    Raises
    ------
    UnknownName: no such translation or option; BadChoice: anchors or options that it refuses.

    >>> import torch
    >>> x = torch.eye(3)
    >>> torch.allclose(translate(x, 2 * x, name="ortho-rigid", normalise="none").matrix, torch.eye(3).double())
    True
    """
    if name not in TRANSLATIONS:
        raise UnknownName("translation", name, TRANSLATIONS)
    check_options(TRANSLATIONS[name], options)
    return TRANSLATIONS[name].function(source, target, **options)
