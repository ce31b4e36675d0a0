"""Numbers in, sentences out: the answer that opens every page, never more than the numbers say."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from relviz.types import MeasureValue
from relviz.usecases.compare import Comparison, LayerBoard, SimilarityBoard
from relviz.usecases.equaliser import Equalised
from relviz.usecases.explain import Breakage
from relviz.usecases.reconstruction import Reconstruction, ScaleCurve
from relviz.usecases.stitching import METRICS, SeededCell, StitchedCell


def percent(share: float) -> str:
    """A share as a percentage with two significant digits.

    >>> percent(0.2521), percent(0.0025), percent(0.0), percent(1.0)
    ('25 %', '0.25 %', '0 %', '100 %')
    """
    value = 100 * share
    if value in (0, 100) or value >= 10:
        return f"{value:.0f} %"
    return f"{value:.2g} %"


def number(value: float | None) -> str:
    """A value with three decimals, a dash when undefined.

    >>> number(0.12345), number(None)
    ('0.123', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def interval(accuracy: float, n: int) -> str:
    """An accuracy with the half width of its 95 % interval (normal approximation over n samples).

    >>> interval(0.9, 2000)
    '0.900 ± 0.013'
    """
    return f"{accuracy:.3f} ± {1.96 * math.sqrt(accuracy * (1 - accuracy) / n):.3f}"


def find_cell(cells: Iterable[StitchedCell], encoder: str, head: str, method: str) -> StitchedCell:
    """The cell of one encoder, head and method."""
    return next(c for c in cells if (c.encoder, c.head, c.method) == (encoder, head, method))


def pair_sentence(
    comparison: Comparison, cells: list[StitchedCell], a: str, b: str, anchors: int, *, still: Collection[str] = ()
) -> str:
    """What anchors do for a pair: shared neighbours and stitched accuracy, with and without them.

    Parameters
    ----------
    still: those of the four maps whose spaces do not vary; neighbours mean nothing in them.
    """
    if still:
        return f"{still_sentence(still)} {_stitched(cells, a, b, told=True)}"
    told = comparison.absolute["jaccard"].undefined is not None  # why, once
    return f"{_neighbours(comparison, anchors)} {_stitched(cells, a, b, told=told)}"


def still_sentence(still: Collection[str]) -> str:
    """Which spaces do not vary, and so cannot be compared.

    >>> still_sentence(["absolute_a", "relative_a"])
    '**A does not vary** over the held-out samples: every one has the same vector, so there is nothing to compare.'
    >>> still_sentence(["relative_b"]).partition(" over")[0]
    '**Relative B does not vary**'
    """
    absolute = [name[-1].upper() for name in still if name.startswith("absolute")]
    names = absolute or [f"relative {name[-1].upper()}" for name in still]
    what = "vector" if absolute else "similarities to the anchors"
    who = " and ".join(names) + (" does" if len(names) == 1 else " do")
    return (
        f"**{who[0].upper()}{who[1:]} not vary** over the held-out samples: every one has the same {what}, so there is "
        "nothing to compare."
    )


def _neighbours(comparison: Comparison, anchors: int) -> str:
    relative, absolute = comparison.relative["jaccard"], comparison.absolute["jaccard"]
    if relative.value is None:
        return f"Neighbours cannot be compared: {relative.undefined}."
    without = f"undefined ({absolute.undefined})" if absolute.value is None else percent(absolute.value)
    chance = f" (chance {percent(relative.chance)})" if relative.chance is not None else ""
    return (
        f"Read through **{anchors} anchors**, A finds **{percent(relative.value)}** of the same neighbours as "
        f"B{chance}; without anchors {without}."
    )


def _stitched(cells: list[StitchedCell], a: str, b: str, *, told: bool) -> str:
    relative, absolute = (find_cell(cells, a, b, method) for method in ("relative-cosine", "absolute"))
    if relative.chance == 1:
        return "All held-out samples are of one class, so accuracy tells nothing."
    if relative.accuracy is None or relative.native is None:
        return f"B's head cannot read A's encoder: {relative.undefined}."
    reason = "" if told else f", {absolute.undefined}"
    without = f"undefined{reason}" if absolute.accuracy is None else number(absolute.accuracy)
    return (
        f"B's head reads A's encoder at **{interval(relative.accuracy, relative.n)}**, "
        f"its own at {number(relative.native)}, without anchors {without} (chance {number(relative.chance)})."
    )


def board_sentence(board: SimilarityBoard, label: str) -> str:
    """Which pair of different models a measure finds most and least alike, in relative coordinates."""
    names = board.models
    values = [
        (value, i, j)
        for i, row in enumerate(board.relative)
        for j, cell in enumerate(row)
        if i != j and (value := cell.value) is not None
    ]
    if not values:
        return f"{label} is undefined for every pair of these {len(names)} models."
    (low, i, j), (high, p, q) = min(values), max(values)
    n = board.relative[0][0].n
    if low == high:
        return (
            f"In relative coordinates, {label} is {number(high)} from **{names[p]}** to **{names[q]}**, on {n:,} "
            "held-out samples."
        )
    return (
        f"In relative coordinates, {label} is highest from **{names[p]}** to **{names[q]}** ({number(high)}) "
        f"and lowest from **{names[i]}** to **{names[j]}** ({number(low)}), on {n:,} held-out samples."
    )


def layers_sentence(board: LayerBoard, label: str, a: str, b: str) -> str:
    """Which layers of two models a measure finds most and least alike, and whether the depths correspond."""
    known = [
        (cell.value, i, j) for i, row in enumerate(board.values) for j, cell in enumerate(row) if cell.value is not None
    ]
    if not known:
        return f"{label} is undefined for every layer of {a} with every layer of {b}."
    (low, i, j), (high, p, q) = min(known), max(known)
    n = board.values[0][0].n
    words = (
        f"{label} is highest from layer **{board.a[p]}** of {a} to **{board.b[q]}** of {b} ({number(high)}) and lowest "
        f"from **{board.a[i]}** to **{board.b[j]}** ({number(low)}), on {n:,} held-out samples."
    )
    if len(board.a) != len(board.b):
        return words
    best = {i: max((value, j) for value, k, j in known if k == i)[1] for i in {i for _, i, _ in known}}
    same = sum(i == j for i, j in best.items())
    return f"{words} Of {len(board.a)} layers of {a}, {same} are most like the layer at the same place in {b}."


def sureness_sentence(comparison: Comparison, name: str, label: str) -> str:
    """One measure of a pair with its interval, and whether unrelated samples would give as much."""
    parts = [_sureness(kind, getattr(comparison, kind)[name]) for kind in ("relative", "absolute")]
    return f"{label}, 95 % intervals and bands: {'; '.join(parts)}."


def _sureness(kind: str, found: MeasureValue) -> str:
    if found.value is None:
        return f"{kind} undefined ({found.undefined})"
    words = f"{kind} **{number(found.value)}**"
    if found.interval is not None:
        words += f", between {' and '.join(map(number, found.interval))}"
    if found.null is None:
        return words
    low, high = found.null
    place = "inside" if low <= found.value <= high else "outside"
    return f"{words}, {place} what permuted samples give ({number(low)} to {number(high)})"


def stitch_sentence(cells: list[SeededCell], method: str, metric: str) -> str:
    """How well a method stitches different models on average, beside what their own encoders give and chance."""
    foreign = [c for c in cells if c.method == method and c.encoder != c.head]
    known = [(c.stitched.mean, c.native.mean) for c in foreign if c.stitched is not None and c.native is not None]
    if foreign and foreign[0].chance == 1:
        return "All held-out samples are of one class, so accuracy tells nothing."
    if not known:
        return f"No pair of these models can be stitched by the method '{method}'."
    stitched, native = (sum(column) / len(known) for column in zip(*known, strict=True))
    undefined = len(foreign) - len(known)
    sets = f", {foreign[0].seeds} anchor sets" if foreign[0].seeds > 1 else ""
    rest = f"; {undefined} pairs are undefined" if undefined else ""
    return (
        f"By **{method}**, heads read foreign encoders with {METRICS[metric]} **{stitched:.3f}** on average over "
        f"{len(known)} pairs, their own with {native:.3f} (chance {number(foreign[0].chance)}, {foreign[0].n:,} "
        f"held-out samples{sets}){rest}."
    )


def breakage_sentence(found: Breakage, encoder: str, head: str, method: str) -> str:
    """How many samples stitching breaks and mends."""
    n, broken, mended = len(found.broken), int(found.broken.sum()), int(found.mended.sum())
    wrong = n - found.right - broken - mended
    return (
        f"Of {n:,} held-out samples, **{broken:,}** are right when **{head}** reads its own encoder and wrong when it "
        f"reads **{encoder}** by {method}; **{mended:,}** the other way round, {found.right:,} right and {wrong:,} "
        "wrong both times."
    )


def reconstruction_sentence(found: Reconstruction) -> str:
    """How near images come that one model encodes and another decodes, beside the decoder's own."""
    own, known = found.rebuilt[0], [r for r in found.rebuilt[1:] if r.error is not None]
    if own.error is None or not known:
        return f"{found.decoder} cannot decode what {found.encoder} encodes by any of these ways."
    first, best = known[0], min(known, key=lambda r: r.error or 0.0)
    begin = f"**{found.decoder}** decodes what **{found.encoder}** encodes, {first.label}, with a mean squared error of"
    words = f"{begin} **{first.error:.4f}**, its own encoder's vectors with {own.error:.4f}"
    if best is not first:
        words += f"; best by {best.label}, **{best.error:.4f}**"
    return f"{words} ({found.n:,} held-out samples, pixels in [0, 1])."


def counterparts_sentence(found: Reconstruction) -> str:
    """How near a pair of the same recipes comes with a relative layer, or without."""
    own, stitched = found.rebuilt[:2]
    if own.error is None or stitched.error is None:
        return f"{found.decoder} cannot decode what {found.encoder} encodes: {stitched.undefined}."
    layer = "With" if stitched.label == "relative" else "Without"
    pair = f"**{found.encoder}** into **{found.decoder}**"
    return f"{layer} a relative layer, {pair}: **{stitched.error:.4f}**, own {own.error:.4f}."


def equaliser_sentence(model: str, found: Equalised, changes: int) -> str:
    """What changed similarities do to one sample's reconstruction."""
    own = f"**{model}** reconstructs this sample with a mean squared error of **{found.own_error:.4f}**"
    if not changes:
        return f"{own}. Move a slider to bring it nearer to an anchor, or farther from it."
    moved = "one similarity" if changes == 1 else f"{changes} similarities"
    return f"{own}, with {moved} changed **{found.error:.4f}**."


def scale_sentence(curves: list[ScaleCurve]) -> str:
    """What half and twice the length do to each model's own head or decoder."""
    return " ".join(map(_scaled, curves))


def _scaled(curve: ScaleCurve) -> str:
    at = dict(zip(curve.factors, curve.values, strict=True))
    what, digits = ("mean squared error of its decoder", 4) if curve.decodes else ("accuracy of its head", 3)
    half, one, twice = (f"{at[factor]:.{digits}f}" for factor in (0.5, 1.0, 2.0))
    blind = f"{'mean image' if curve.decodes else 'chance'} {curve.blind:.{digits}f}, {curve.n:,} held-out samples"
    return f"**{curve.model}**: {what} **{one}**, at half the length {half}, at twice {twice} ({blind})."
