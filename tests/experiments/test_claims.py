"""Claims are computed from the rows: rows that say otherwise make them false."""

from collections.abc import Callable

import pytest

from relviz.experiments import (
    anchor_count,
    autoencoders,
    blending,
    cora_proxy,
    cross_architecture,
    inverse_projection,
    projections,
    rotation_noise,
    scale,
    translation_estimators,
    words,
)
from relviz.experiments.report import Claim, Row, row

Table = dict[tuple[str, str], float]


def rows(table: Table) -> list[Row]:
    return [row(where, what, number) for (where, what), number in table.items()]


ROTATION: Table = {
    **{(where, "distance absolute"): 3.0 for where in (rotation_noise.ENCODED, rotation_noise.SCALED)},
    **{(where, "distance relative"): 0.02 for where in (rotation_noise.ENCODED, rotation_noise.SCALED)},
    (rotation_noise.RANDOM, "cosine relative"): 1.0,
}
TRANSLATION: Table = {
    ("digits, width 64, 32 anchors", "ortho"): 0.8,
    ("digits, width 64, 32 anchors", "linear"): 0.7,
    ("digits, width 64, 200 anchors", "ortho"): 0.1,  # twice the width and more: not what the claim speaks of
    ("digits, width 64, 200 anchors", "linear"): 0.9,
}
COUNTS: Table = {
    (f"{field}, {count} anchors", strategy): 0.5 + 0.1 * (strategy == "k-means" and count == 10)
    for field in ("a", "b")
    for count in (10, 300)
    for strategy in anchor_count.STRATEGIES
}
PAIRS: Table = {
    (f"{field}: x{i}-s0 into x{j}-s1", method): 0.8 + 0.02 * (method == projections.SINGLE[i % 2])
    for field in ("a", "b")
    for i in range(2)
    for j in range(2)
    for method in projections.SINGLE
} | {
    (f"{field}: x{i}-s0 into x{j}-s1", method): 0.815
    for field in ("a", "b")
    for i in range(2)
    for j in range(2)
    for method in projections.PRODUCTS
}
INVERSE: Table = {
    (f"a, least distance {prune}", what): number
    for prune, condition in ((0.0, 400.0), (0.3, 60.0), (0.7, 3.0))
    for what, number in (
        (inverse_projection.ONE, 0.7),
        (inverse_projection.SEVERAL, 0.8),
        (inverse_projection.CONDITION, condition),
    )
}
SCALE: Table = {
    (f"a, times {factor}", what): 0.9 for factor in scale.FACTORS for what in (scale.OWN, scale.BARE, scale.LOGISTIC)
} | {(f"pictures, times {factor}", scale.ERROR): 0.01 if factor == 1 else 0.05 for factor in scale.FACTORS}
WORDS: Table = {
    ("there", what): number
    for what, number in (
        ("absolute: MRR@5", 0.0),
        ("absolute: Jaccard@5", 0.0),
        ("uniform: MRR@5", 0.9),
        ("uniform, centred: MRR@5", 0.95),
        ("frequent: MRR@5", 0.8),
        ("k-means: MRR@5", 0.91),
    )
}
CROSS: Table = {
    ("TREC: a into b", cross_architecture.PLAIN): 0.5,
    ("TREC: a into b", cross_architecture.ABSOLUTE): 0.2,
    ("TREC: a into b", cross_architecture.CONTROL): 0.1,
    ("TREC: a into b", cross_architecture.CENTRED): 0.6,
}
BLENDING: Table = {
    ("a: x into y", method): number for method, number in zip(blending.METHODS, (0.5, 0.8, 0.7), strict=True)
}
AUTOENCODERS: Table = {
    (f"{space}{kind}", f"{how}, squared error"): number
    for kind in ("ae", "vae")
    for space, how, number in (
        ("", "stitched as it is", 0.2),
        ("rel", "stitched as it is", 0.02),
        ("rel", "own encoder", 0.01),
    )
}
CORA: Table = {
    (f"{kind} Adam {i}", what): i / 70
    for kind in cora_proxy.LAYERS
    for i in range(35)
    for what in (cora_proxy.SIMILARITY, cora_proxy.ACCURACY)
}


@pytest.mark.parametrize(
    ("claims", "table", "change"),
    [
        (rotation_noise.claims, ROTATION, {(rotation_noise.SCALED, "distance relative"): 0.04}),
        (translation_estimators.claims, TRANSLATION, {("digits, width 64, 32 anchors", "linear"): 0.81}),
        (anchor_count.claims, COUNTS, {("b, 10 anchors", "k-means"): 0.4}),
        (projections.claims, PAIRS, {("a: x0-s0 into x1-s1", "product-mlp-sum"): 0.7}),
        (projections.claims, PAIRS, {key: 0.9 for key in PAIRS if key[1] == "relative-cosine"}),
        (inverse_projection.claims, INVERSE, {("a, least distance 0.3", inverse_projection.CONDITION): 2.0}),
        (inverse_projection.claims, INVERSE, {("a, least distance 0.3", inverse_projection.SEVERAL): 0.1}),
        (scale.claims, SCALE, {("a, times 10.0", scale.BARE): 0.8}),
        (scale.claims, SCALE, {("a, times 0.5", scale.LOGISTIC): 0.8}),
        (scale.claims, SCALE, {("pictures, times 2.0", scale.ERROR): 0.01}),
        (words.claims, WORDS, {("there", "absolute: MRR@5"): 0.5}),
        (words.claims, WORDS, {("there", "k-means: MRR@5"): 0.5}),
        (cross_architecture.claims, CROSS, {("TREC: a into b", cross_architecture.ABSOLUTE): 0.55}),
        (blending.claims, BLENDING, {("a: x into y", blending.HEAD): 0.9}),
        (autoencoders.claims, AUTOENCODERS, {("relvae", "stitched as it is, squared error"): 0.05}),
        (cora_proxy.claims, CORA, {(f"gin Adam {i}", cora_proxy.ACCURACY): 0.5 - i / 70 for i in range(35)}),
    ],
)
def test_claims_follow_the_rows(claims: Callable[[list[Row]], list[Claim]], table: Table, change: Table) -> None:
    assert [claim.sentence for claim in claims(rows(table)) if not claim.holds] == []
    assert change.keys() <= table.keys()
    assert not all(claim.holds for claim in claims(rows(table | change)))


def test_too_few_runs_are_no_proof() -> None:
    few = {key: number for key, number in CORA.items() if int(key[0].split()[2]) < 10}
    (claim,) = cora_proxy.claims(rows(few))
    assert not claim.holds and "over 20 runs" in claim.numbers


@pytest.mark.parametrize(("product", "near"), [(0.89, True), (0.8899, False)])
def test_exactly_so_much_below_the_best_is_still_near(product: float, near: bool) -> None:
    change = {key: 0.9 if key[1] in projections.SINGLE else product for key in PAIRS}
    held = {claim.sentence.split()[0]: claim for claim in projections.claims(rows(change))}
    assert held["product-sum"].holds is near
    assert held["product-sum"].numbers.startswith(
        "a 4 of 4; b" if near else "a 0 of 4, least -0.010 at x0-s0 into x0-s1"
    )


def test_a_product_that_falls_short_on_few_pairs_of_one_data_set_still_needs_two() -> None:
    one = {key: number for key, number in PAIRS.items() if key[0].startswith("a")}
    held = {claim.sentence.split()[0]: claim.holds for claim in projections.claims(rows(one))}
    assert held["product-sum"] is False
