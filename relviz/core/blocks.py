"""How many rows a kernel may hold at once."""

from __future__ import annotations

from relviz import settings


def rows_per_block(columns: int, *, itemsize: int = 4, memory: int = settings.MEMORY) -> int:
    """Rows of a block with so many columns that fit a memory budget, at least 1.

    Parameters
    ----------
    columns: of the block, all temporaries of the kernel counted in.
    itemsize: bytes of one value.
    memory: the budget in bytes.

    >>> rows_per_block(1000, memory=4_000_000)
    1000
    """
    return max(1, memory // (max(1, columns) * itemsize))
