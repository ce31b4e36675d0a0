"""The registered ways of communication between a foreign encoder and a head.

A new one is one function and one entry in `METHODS`; projections, aggregations and translations bring theirs from
their own registries.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from relviz.core.aggregations import AGGREGATIONS, Aggregated, fit_aggregation, tune
from relviz.core.fitting import Watch
from relviz.core.heads import LinearHead
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.projections import PROJECTIONS, layer_norm
from relviz.core.stitching.method import Method, NotApplicable, Side
from relviz.core.stitching.stitch import LEAST_DRAWS, MOST_DRAWS, SURE
from relviz.core.translations import TRANSLATIONS
from relviz.core.translations.inverse import translate_by_inverse

PRODUCT = ("cosine", "euclidean", "l1", "linf")  # the projections of the product, those of 2310.01211
# The estimators of 2311.00664, which standardises. Its affine is `affine-gradient`; in closed form it would be the same
# map as linear, for there is nothing left for a bias in a centred frame.
IN_PAPERS_FRAME = ("linear", "l-ortho", "ortho-rigid")
TUNING_ROWS = 500  # labelled gallery rows that tuning looks at

_STANDARD = "standardised"
_FRAMES = {
    "none": "both spaces as they are",
    "centre": "both spaces centred on their anchors",
    "standard": "every feature of both spaces standardised on the anchors, the papers' frame",
}


def _native_head(side: Side, _labels: Tensor, _classes: int, _centred: bool, _watch: Watch) -> LinearHead:
    if side.native_head is None:
        raise NotApplicable(f"{side.name} has no native head")
    return side.native_head


def _own_vectors(side: Side, _centred: bool) -> Tensor:
    return side.held_out


def _as_it_is(encoder: Side, head: Side, _centred: bool) -> Tensor:
    d, e = encoder.held_out.shape[1], head.held_out.shape[1]
    if d != e:
        raise NotApplicable(f"the widths differ ({d} and {e}), so the head cannot read the vectors as they are")
    return encoder.held_out


def _padded(encoder: Side, head: Side, _centred: bool) -> Tensor:
    """Zeros for the features that a narrower vector lacks; a wider one loses its last."""
    return pad(encoder.held_out, (0, head.held_out.shape[1] - encoder.held_out.shape[1]))


def _relative(name: str) -> Method:
    """Relative coordinates, layer-normalised as in the paper's trained models, read by a ridge head fitted on such."""
    entry = PROJECTIONS[name]

    def coordinates(side: Side, rows: str, centred: bool) -> Tensor:
        return layer_norm(side.relative(rows, projection=name, centred=centred))

    return Method(
        label=f"relative, {entry.label}",
        function=lambda encoder, _, centred: coordinates(encoder, "held_out", centred),
        head=lambda side, labels, classes, centred, _: fit_ridge(
            coordinates(side, "gallery", centred), labels, classes=classes
        ),
        native=lambda side, centred: coordinates(side, "held_out", centred),
        summary=f"{entry.summary}, layer-normalised, read by a head fitted on such coordinates",
        source=entry.source,
        family="relative",
        slow=not entry.pointwise,
    )


def _control() -> Method:
    """The negative control: correspondence of the anchors broken, everything else as in `relative-cosine`."""
    relative = _relative("cosine")

    def shuffled(reader: LinearHead, generator: torch.Generator) -> LinearHead:
        """Reads coordinates as if their anchors stood in another order, which spares projecting to them anew."""
        order = torch.randperm(len(reader.weight), generator=generator)
        return LinearHead(reader.weight[order.to(reader.weight.device)], reader.bias)

    return replace(
        relative,
        label="control, shuffled anchors",
        shuffled=shuffled,
        summary="relative cosine with the encoder's anchors in another order: what comes of no correspondence; the "
        f"mean over {LEAST_DRAWS} to {MOST_DRAWS} shuffles, until its standard error is below {SURE:g}",
        source="relviz, a negative control",
        family="control",
        exact=False,
    )


def _product_spaces(side: Side, rows: str, centred: bool) -> list[Tensor]:
    return [side.relative(rows, projection=name, centred=centred).float() for name in PRODUCT]


def _product(name: str, *, tuned: str = "") -> Method:
    """Several relative spaces over the same anchors, aggregated; `tuned` says what learns from the foreign encoder."""
    entry = AGGREGATIONS[name]
    label, summary = f"product, {entry.label.lower()}", f"{', '.join(PRODUCT)} relative spaces: {entry.summary}"
    if tuned:
        label += f", {tuned} tuned"
        summary += f"; its {tuned} is tuned on {TUNING_ROWS} labelled rows of the foreign encoder"

    def tune_on(reader: Aggregated, encoder: Side, labels: Tensor, centred: bool) -> Aggregated:
        few = [space[:TUNING_ROWS] for space in _product_spaces(encoder, "gallery", centred)]
        return tune(reader, few, labels[:TUNING_ROWS], what=tuned)

    return Method(
        label=label,
        function=lambda encoder, _, centred: _product_spaces(encoder, "held_out", centred),
        head=lambda side, labels, classes, centred, watch: fit_aggregation(
            _product_spaces(side, "gallery", centred), labels, classes=classes, name=name, watch=watch
        ),
        native=lambda side, centred: _product_spaces(side, "held_out", centred),
        tuned=tune_on if tuned else None,
        summary=summary,
        source=entry.source,
        family="product",
        exact=not tuned,
        slow=entry.trained,
    )


def _translated(name: str, normalise: str = "") -> Method:
    """A translation in its default frame, or in a named one."""
    entry = TRANSLATIONS[name]
    frame = normalise or str(next(option.default for option in entry.options if option.name == "normalise"))

    def carried(encoder: Side, head: Side, _centred: bool) -> Tensor:
        return entry.function(encoder.anchor_vectors, head.anchor_vectors, normalise=frame)(encoder.held_out)

    return Method(
        label=f"{entry.label}, {_STANDARD}" if normalise else entry.label,
        function=carried,
        head=_native_head,
        native=_own_vectors,
        summary=f"{entry.summary}; {_FRAMES[frame]}",
        source=entry.source,
        family="translation",
        exact=entry.comes_back == "always",
        slow=entry.slow,
    )


def _inverted(normalise: str = "") -> Method:
    frame = normalise or "centre"

    def carried(encoder: Side, head: Side, _centred: bool) -> Tensor:
        there = translate_by_inverse(encoder.anchor_vectors, head.anchor_vectors, normalise=frame)
        return there(encoder.held_out)

    return Method(
        label=f"inverse relative projection{f', {_STANDARD}' if normalise else ''}",
        function=carried,
        head=_native_head,
        native=_own_vectors,
        summary=f"relative coordinates turned back into the head's absolute space; {_FRAMES[frame]}",
        source="2406.15057",
        family="inverse",
        exact=False,  # cosines do not know a vector's length
    )


METHODS: dict[str, Method] = {
    "absolute": Method(
        label="absolute",
        function=_as_it_is,
        head=_native_head,
        native=_own_vectors,
        summary="the foreign vector as it is: the baseline",
        source="2209.15430",
        family="absolute",
    ),
    "absolute-padded": Method(
        label="absolute, zero-padded",
        function=_padded,
        head=_native_head,
        native=_own_vectors,
        summary="the foreign vector, filled up with zeros or cut to the width that the head reads",
        source="2311.00664",
        family="absolute",
    ),
    **{f"relative-{name}": _relative(name) for name in PROJECTIONS},
    **{f"product-{name}": _product(name) for name in AGGREGATIONS},
    "product-attention-blending": _product("attention", tuned="blending"),
    "product-attention-head": _product("attention", tuned="head"),
    **{name: _translated(name) for name in TRANSLATIONS},
    **{f"{name}-standard": _translated(name, "standard") for name in IN_PAPERS_FRAME},
    "inverse": _inverted(),
    "inverse-standard": _inverted("standard"),
    "control": _control(),
}
CARRYING = tuple(  # methods that end in the other model's own absolute space
    name for name, method in METHODS.items() if method.family in ("absolute", "translation", "inverse")
)
CLOSED_FORM = tuple(name for name, method in METHODS.items() if not method.slow)
