"""Product of invariances: several relative spaces over the same anchors, read as one.

An aggregation is a module from `n x count x k` (count relative spaces of k anchors) to `n x width`. Each space is
layer-normalised by itself first, because cosines and distances live on unlike scales. Those without parameters need no
training and end in a ridge head in closed form; the others are trained together with their head. When a foreign
encoder is stitched on, either the blending or the head can be tuned on a few rows. Source: 2310.01211.
A new one is one module class with its entry under it, in a file of this package.
"""

from __future__ import annotations

from relviz.core.aggregations.entry import AGGREGATIONS, AggregationEntry
from relviz.core.aggregations.fitting import Aggregated, fit_aggregation, tune
from relviz.core.aggregations.module import Aggregation
from relviz.core.registry import import_modules

__all__ = ["AGGREGATIONS", "Aggregated", "Aggregation", "AggregationEntry", "fit_aggregation", "tune"]

import_modules(__name__)
