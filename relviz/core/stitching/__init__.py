"""Zero-shot stitching: the encoder of one model with the head of another, nothing trained on the pair.

A method says which head reads a model's space and how a foreign encoder's vectors come into that space;
`METHODS` holds the registered ones.
"""

from __future__ import annotations

from relviz.core.stitching.f1 import chance_f1, weighted_f1
from relviz.core.stitching.method import Method, NotApplicable, Reader, Side
from relviz.core.stitching.methods import CARRYING, CLOSED_FORM, METHODS, PRODUCT, TUNING_ROWS
from relviz.core.stitching.stitch import Stitched, stitch_all, stitched_scores

__all__ = [
    "CARRYING",
    "CLOSED_FORM",
    "METHODS",
    "PRODUCT",
    "TUNING_ROWS",
    "Method",
    "NotApplicable",
    "Reader",
    "Side",
    "Stitched",
    "chance_f1",
    "stitch_all",
    "stitched_scores",
    "weighted_f1",
]
