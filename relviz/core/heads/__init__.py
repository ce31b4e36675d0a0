"""Heads: latent vectors in, class scores out.

Every head is fitted by fit(x, labels, *, classes, **options) and read by scores(x) and accuracy(x, labels). A new one
is one function with its entry under it, in a module of this package.
"""

from __future__ import annotations

from relviz.core.heads.entry import HEADS, Head, HeadEntry
from relviz.core.heads.head import LinearHead, check_labels, share_right
from relviz.core.registry import import_modules

__all__ = ["HEADS", "Head", "HeadEntry", "LinearHead", "check_labels", "share_right"]

import_modules(__name__)
