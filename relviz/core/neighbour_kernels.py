"""Compiled float32 kernels that read a block of scores once: running lists of the best, and counts of the better.

They hold no lock and start no threads: the caller gives each of its threads a range of rows or columns. Almost no score
enters a list, so a run of them is compared with its list's last in vector instructions and looked at only if one does.
Keys have to be offered in order; of equal scores the earlier key then stays the first.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

_RUN = 16  # scores compared at once


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
    c, floor = len(row), best[-1]
    whole = c - c % _RUN
    for start in range(0, c, _RUN):
        hits = 0
        if start < whole:
            for j in range(start, start + _RUN):
                hits += row[j] > floor
        else:
            hits = 1
        if hits > 0:
            for j in range(start, min(start + _RUN, c)):
                if row[j] > floor:
                    _insert(best, keys, row[j], first + j)
                    floor = best[-1]


@njit(nogil=True, cache=True)
@no_type_check
def _offer_columns(row, key, floors, best, keys):
    c, last = len(row), best.shape[1] - 1
    whole = c - c % _RUN
    for start in range(0, c, _RUN):
        hits = 0
        if start < whole:
            for j in range(start, start + _RUN):
                hits += row[j] > floors[j]
        else:
            hits = 1
        if hits > 0:
            for j in range(start, min(start + _RUN, c)):
                if row[j] > floors[j]:
                    _insert(best[j], keys[j], row[j], key)
                    floors[j] = best[j, last]


@njit(nogil=True, cache=True)
@no_type_check
def _count(row, thresholds, above):
    for j in range(len(row)):
        above[j] += np.int32(row[j] > thresholds[j])


@njit(nogil=True, cache=True)
@no_type_check
def offer_rows(begin, end, scores, first, best, keys):
    """Offer the scores (`b x c`) of rows `begin` to `end` with the keys from `first` on to their lists (`b x k`)."""
    for i in range(begin, end):
        _offer_row(scores[i], first, best[i], keys[i])


@njit(nogil=True, cache=True)
@no_type_check
def offer_columns(begin, end, scores, first, best, keys, origin):
    """Offer the scores of columns `begin` to `end`, whose keys are the rows, numbered from `first` on.

    The list of column j is row `origin + j` of `best` and `keys`.
    """
    lists = slice(origin + begin, origin + end)
    floors = best[lists, best.shape[1] - 1].copy()
    for i in range(len(scores)):
        _offer_columns(scores[i, begin:end], first + i, floors, best[lists], keys[lists])


@njit(nogil=True, cache=True)
@no_type_check
def search_rows(begin, end, scores, first, best, keys, low, high, above):
    """Offer each row's scores with all keys to the list of query `first + i`, and count the keys above its own.

    Added to `above`: earlier keys with a score over `low`, later ones with a score over `high`.
    """
    for i in range(begin, end):
        own, row = first + i, scores[i]
        _offer_row(row, 0, best[own], keys[own])
        reach, over, count = low[own], high[own], np.int32(0)
        for j in range(own):
            count += row[j] > reach
        for j in range(own + 1, len(row)):
            count += row[j] > over
        above[own] += count


@njit(nogil=True, cache=True)
@no_type_check
def search_columns(begin, end, scores, first, best, keys, low, high, above):
    """The same for the columns as queries and the rows, numbered from `first` on, as keys."""
    floors = best[begin:end, best.shape[1] - 1].copy()
    for i in range(len(scores)):
        own, row = first + i, scores[i]
        _offer_columns(row[begin:end], own, floors, best[begin:end], keys[begin:end])
        middle = min(max(own, begin), end)
        _count(row[begin:middle], high[begin:middle], above[begin:middle])
        middle = min(max(own + 1, begin), end)
        _count(row[middle:end], low[middle:end], above[middle:end])
