"""How many rows a kernel may hold at once, and how its threads share them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from jaxtyping import Shaped
from torch import Tensor

from relviz import settings


def rows_per_block(columns: int, *, itemsize: int = 4, memory: int = settings.MEMORY) -> int:
    """Rows of a block with so many columns that fit a memory budget, at least 1.

    Parameters
    ----------
    columns: of the block, all temporaries of the kernel counted in.
    itemsize: bytes of one value.
    memory: the budget in bytes.

    Raises nothing.

    >>> rows_per_block(1000, memory=4_000_000)
    1000
    """
    return max(1, memory // (max(1, columns) * itemsize))


def by_blocks(
    function: Callable[[Tensor], Tensor],
    x: Shaped[Tensor, "n d"],
    *,
    columns: int,
    memory: int = settings.MEMORY,
) -> Shaped[Tensor, "n ..."]:
    """`function` of `x`, `n x d`, computed block by block of its rows; it must treat each row by itself.

    Parameters
    ----------
    function: rows in, one row (or value) of the result for each.
    columns: values per row that one block holds, temporaries counted in.
    memory: budget of one block, in bytes.

    Raises nothing but what `function` raises.

    >>> by_blocks(lambda rows: rows.sum(1), torch.ones(5, 2), columns=2, memory=16).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    size = rows_per_block(columns, itemsize=x.element_size(), memory=memory)
    first = function(x[:size])
    if len(x) <= size:
        return first
    found = first.new_empty(len(x), *first.shape[1:])
    found[:size] = first
    for start in range(size, len(x), size):
        found[start : start + size] = function(x[start : start + size])
    return found


def in_threads(kernel: Callable[..., None], begin: int, end: int, *arguments: object) -> None:
    """`kernel(begin, end, *arguments)`, its range cut into one part for each thread that torch would use.

    Raises nothing but what the kernel raises.

    >>> in_threads(lambda begin, end, seen: seen.extend(range(begin, end)), 2, 5, seen := [])
    >>> sorted(seen)
    [2, 3, 4]
    """
    count = torch.get_num_threads()
    cuts = [begin + (end - begin) * i // count for i in range(count + 1)]
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(kernel, start, stop, *arguments) for start, stop in pairwise(cuts)]:
            done.result()
