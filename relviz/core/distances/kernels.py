"""Compiled float32 kernels of distances; imported only when a large product asks for them.

Those of L1 and L-infinity keep four rows of `x` in registers while they read one row of `y`, so a value of `y` is
loaded once for four distances. All hold no lock and start no threads: the caller gives each of its threads a range of
rows, which is safe from any number of sessions at once (numba's own parallel loops are not, under its default thread
layer).
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

ROWS = 4  # of `x` held at once; `l1` and `linf` need at least so many


@intrinsic
@no_type_check
def _bits(_context, _value):
    """The bit pattern of a float32 as an int32."""

    def convert(context, builder, _signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), convert


@njit(nogil=True, fastmath=True, cache=True)
@no_type_check
def l1(x, y, out):
    """Sum of absolute differences of the rows of `x` (`n x d`, n at least 4) and `y` (`k x d`) into `out` (`n x k`)."""
    n, d = x.shape
    for first in range(0, n, ROWS):
        i = min(first, n - ROWS)  # the last tile overlaps the one before it
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(len(y)):
            other = y[j]
            s0 = s1 = s2 = s3 = np.float32(0)
            for p in range(d):
                s0 += abs(x0[p] - other[p])
                s1 += abs(x1[p] - other[p])
                s2 += abs(x2[p] - other[p])
                s3 += abs(x3[p] - other[p])
            out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = s0, s1, s2, s3


@njit(nogil=True, fastmath=True, cache=True)
@no_type_check
def linf(x, y, out):
    """Largest absolute differences, as `l1`, into `out` as the bit patterns of the float32 results (int32).

    Bit patterns of floats that are not negative order as the floats do, and a maximum of integers becomes a vector
    instruction where one of floats, for the sake of NaN, does not.
    """
    n, d = x.shape
    for first in range(0, n, ROWS):
        i = min(first, n - ROWS)
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(len(y)):
            other = y[j]
            s0 = s1 = s2 = s3 = np.int32(0)
            for p in range(d):
                s0 = max(s0, _bits(abs(x0[p] - other[p])))
                s1 = max(s1, _bits(abs(x1[p] - other[p])))
                s2 = max(s2, _bits(abs(x2[p] - other[p])))
                s3 = max(s3, _bits(abs(x3[p] - other[p])))
            out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = s0, s1, s2, s3


@njit(nogil=True, fastmath=True, cache=True)
@no_type_check
def _square(x):
    total = np.float32(0)
    for p in range(len(x)):
        total += x[p] * x[p]
    return total


@njit(nogil=True, fastmath=True, cache=True)
@no_type_check
def _apart(x, y):
    total = np.float32(0)
    for p in range(len(x)):
        total += (x[p] - y[p]) * (x[p] - y[p])
    return total


@njit(nogil=True, cache=True)
@no_type_check
def l2(begin, end, x, given_x, given_y, squares, cancelled, out):
    """Euclidean distances of rows `begin` to `end` of `given_x` (`n x d`) to those of `given_y` into `out` (`n x k`).

    `out` holds -2 times the inner products of both less a centre at first. A squared distance of at most `cancelled`
    times the square of its row of `x` is computed again from the difference of the rows as given.

    Parameters
    ----------
    x: `given_x` less the centre.
    squares: of the rows of `given_y` less the centre, k values.
    """
    for i in range(begin, end):
        row, own, near = out[i], _square(x[i]), np.int32(0)
        limit = np.float32(cancelled) * own
        for j in range(len(row)):
            row[j] += own + squares[j]
            near += np.int32(row[j] <= limit)
        for j in range(len(row) if near > 0 else 0):
            if row[j] <= limit:
                row[j] = _apart(given_x[i], given_y[j])
        for j in range(len(row)):
            row[j] = np.sqrt(max(row[j], np.float32(0)))
