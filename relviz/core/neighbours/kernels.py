"""Compiled float32 kernels that read a block of scores: running lists of the best, and counts of the better.

They hold no lock and start no threads: the caller sees to it that no two of its threads write to one list. Almost no
score enters a list, so a run of them is compared with its list's last in one vector instruction and looked at only if
one does. The compiler finds no such instruction for a comparison written as a loop, so those below are spelt out.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba import njit, types
from numba.extending import intrinsic

_RUN = 16  # scores compared at once
_TILE = 1024  # columns whose thresholds and counts stay in the innermost cache while all rows of a block pass


@no_type_check
def _place(context, builder, kind, array, start, element):
    """Address of the run of `array` that begins at `start`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(element, _RUN).as_pointer())


@no_type_check
def _compare(context, builder, kinds, arguments):
    """Of a run of scores and a run of thresholds, each an array and a start, which scores are above theirs."""
    runs = []
    for i in (0, 2):
        runs.append(builder.load(_place(context, builder, kinds[i], *arguments[i : i + 2], ir.FloatType()), align=4))
    return builder.fcmp_ordered(">", *runs)


@intrinsic
@no_type_check
def _any_above(_context, scores, start, thresholds, begin):
    """Whether any of the run of scores from `start` on is above its threshold, of those from `begin` on."""

    def build(context, builder, signature, arguments):
        bits = builder.bitcast(_compare(context, builder, signature.args, arguments), ir.IntType(_RUN))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(scores, start, thresholds, begin), build


@intrinsic
@no_type_check
def _any_between(_context, scores, start, lows, highs, begin):
    """Whether any of the run of scores from `start` on is above its low and not above its high, those from `begin`."""

    def build(context, builder, signature, arguments):
        kinds, (run, first, low, high, second) = signature.args, arguments
        above = [
            _compare(context, builder, [*kinds[:2], kinds[side], kinds[4]], [run, first, ends, second])
            for side, ends in ((2, low), (3, high))
        ]
        bits = builder.bitcast(builder.and_(above[0], builder.not_(above[1])), ir.IntType(_RUN))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(scores, start, lows, highs, begin), build


@intrinsic
@no_type_check
def _add_above(_context, scores, start, thresholds, begin, counts, first):
    """Add one to each of the run of int32 counts from `first` on whose score is above its threshold."""

    def build(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[4], *arguments[4:], ir.IntType(32))
        counts = builder.load(place, align=4)
        above = builder.zext(_compare(context, builder, signature.args, arguments), counts.type)
        builder.store(builder.add(counts, above), place, align=4)
        return context.get_dummy_value()

    return types.void(scores, start, thresholds, begin, counts, first), build


@njit(nogil=True, cache=True)
@no_type_check
def _insert(best, keys, score, key):
    place = len(best) - 1
    while place > 0 and best[place - 1] < score:
        best[place], keys[place] = best[place - 1], keys[place - 1]
        place -= 1
    best[place], keys[place] = score, key


@njit(nogil=True, cache=True)
@no_type_check
def _offer_row(row, first, best, keys):
    floors = np.full(_RUN, best[-1])
    for start in range(0, len(row), _RUN):
        stop = min(start + _RUN, len(row))
        if stop - start < _RUN or _any_above(row, start, floors, 0):
            for j in range(start, stop):
                if row[j] > best[-1]:
                    _insert(best, keys, row[j], first + j)
            floors[:] = best[-1]


@njit(nogil=True, cache=True)
@no_type_check
def offer_rows(scores, first, best, keys):
    """Offer the scores (`b x c`) of every row with the keys from `first` on to its list (`b x k`)."""
    for i in range(len(scores)):
        _offer_row(scores[i], first, best[i], keys[i])


@njit(nogil=True, cache=True)
@no_type_check
def offer_columns(begin, scores, first, best, keys, origin):
    """Offer the scores of the columns from `begin` on, whose keys are the rows, numbered from `first` on.

    The list of column j is row `origin + j` of `best` and `keys`.
    """
    end, last = scores.shape[1], best.shape[1] - 1
    floors = best[origin : origin + end, last].copy()
    for left in range(begin, end, _TILE):
        right = min(left + _TILE, end)
        for i in range(len(scores)):
            row = scores[i]
            for start in range(left, right, _RUN):
                stop = min(start + _RUN, right)
                if stop - start < _RUN or _any_above(row, start, floors, start):
                    for j in range(start, stop):
                        if row[j] > floors[j]:
                            _insert(best[origin + j], keys[origin + j], row[j], first + i)
                            floors[j] = best[origin + j, last]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
@no_type_check
def _score(x, scale_x, i, y, scale_y, j):
    """Minus half the squared distance of two rows times their factors; a factor of 0 is a dimension of its own."""
    first, second = scale_x[i], scale_y[j]
    total = 1.0 if (first == 0) != (second == 0) else 0.0
    for k in range(x.shape[1]):
        total += (x[i, k] * first - y[j, k] * second) ** 2
    return total / -2


@njit(nogil=True, cache=True)
@no_type_check
def score_pairs(begin, end, x, scale_x, y, scale_y, queries, keys, found):
    """Scores, in float64, of pairs `begin` to `end` of a query's and a key's number."""
    for pair in range(begin, end):
        found[pair] = _score(x, scale_x, queries[pair], y, scale_y, keys[pair])


@njit(nogil=True, cache=True)
@no_type_check
def _weigh(query, key, points, own, tie, above, open_, most):
    """Count a key whose score is too near the query's own for float32: above if it is so in float64.

    Left open, for more than `most` to count: whether a key of an equal score comes before.
    """
    open_[query] += 1
    if open_[query] <= most:
        score = _score(points[0], points[1], query, points[2], points[3], key)
        if score > own[query] + tie[query]:
            above[query] += 1
        elif score >= own[query] - tie[query]:
            open_[query] += most


@njit(nogil=True, cache=True)
@no_type_check
def search_rows(scores, first, best, keys, low, high, points, own, tie, above, open_, most):
    """Offer each row's scores with all keys to the list of query `first + i`, and count the keys above its own.

    Added to `above`: keys with a score over `high`, and those over `low` by `_weigh`.
    """
    lows, highs, counts = np.empty(_RUN, np.float32), np.empty(_RUN, np.float32), np.empty(_RUN, np.int32)
    floors = np.empty(_RUN, np.float32)
    for i in range(len(scores)):
        query, row = first + i, scores[i]
        list_, numbers = best[query], keys[query]
        lows[:], highs[:], floors[:], counts[:] = low[query], high[query], list_[-1], 0
        for start in range(0, len(row), _RUN):
            stop = min(start + _RUN, len(row))
            part = stop - start < _RUN
            if part:
                above[query] += (row[start:] > high[query]).sum()
            else:
                _add_above(row, start, highs, 0, counts, 0)
            if part or _any_above(row, start, floors, 0):
                for j in range(start, stop):
                    if row[j] > list_[-1]:
                        _insert(list_, numbers, row[j], j)
                floors[:] = list_[-1]
            if part or _any_between(row, start, lows, highs, 0):
                for j in range(start, stop):
                    if low[query] < row[j] <= high[query]:
                        _weigh(query, j, points, own, tie, above, open_, most)
        above[query] += counts.sum()


@njit(nogil=True, cache=True)
@no_type_check
def search_columns(scores, first, best, keys, low, high, points, own, tie, above, open_, most):
    """The same for the columns as queries and the rows, numbered from `first` on, as keys."""
    end, last = scores.shape[1], best.shape[1] - 1
    floors = best[:, last].copy()
    for left in range(0, end, _TILE):
        right = min(left + _TILE, end)
        for i in range(len(scores)):
            row, key = scores[i], first + i
            for start in range(left, right, _RUN):
                stop = min(start + _RUN, right)
                part = stop - start < _RUN
                if part:
                    above[start:stop] += row[start:stop] > high[start:stop]
                else:
                    _add_above(row, start, high, start, above, start)
                if part or _any_above(row, start, floors, start):
                    for j in range(start, stop):
                        if row[j] > floors[j]:
                            _insert(best[j], keys[j], row[j], key)
                            floors[j] = best[j, last]
                if part or _any_between(row, start, low, high, start):
                    for j in range(start, stop):
                        if low[j] < row[j] <= high[j]:
                            _weigh(j, key, points, own, tie, above, open_, most)
