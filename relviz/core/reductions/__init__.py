"""Reductions to two dimensions, for drawing only: no measure is ever computed on a view.

A new one is one function with its entry under it, in a module of this package.
"""

from __future__ import annotations

from relviz.core.reductions.entry import REDUCTIONS, Reduction
from relviz.core.reductions.nearness import METRICS, PLACED_BY
from relviz.core.registry import import_modules

__all__ = ["METRICS", "PLACED_BY", "REDUCTIONS", "Reduction"]

import_modules(__name__)
