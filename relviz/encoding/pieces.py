"""Encodings on their way: rows that took long are kept at once, so that an interrupted encoding goes on after them."""

from __future__ import annotations

import time
from functools import partial

import torch
from torch import Tensor

from relviz import settings
from relviz.encoding import cache


class Pieces:
    """The rows of one encoding that are on disk, as one entry of the cache after the other.

    Parameters
    ----------
    model, data: fingerprints.
    """

    def __init__(self, model: str, data: str) -> None:
        self._key = partial(cache.cache_key, "piece", weights=model, data=data)
        self._starts: list[int] = []
        self._end, self._saved = 0, time.monotonic()

    def read(self, shape: tuple[int, int]) -> Tensor:
        """The first rows, float32 `m x d`, of a space `n x d`; none where nothing was kept."""
        found = [torch.empty(0, shape[1])]
        while self._end < shape[0] and (stored := cache.read(self._key(begin=self._end))) is not None:
            rows = stored.get("rows")
            if rows is None or not 0 < len(rows) <= shape[0] - self._end or rows.shape[1:] != shape[1:]:
                break
            self._count(len(rows))
            found.append(rows)
        return torch.cat(found)

    def keep(self, begin: int, rows: Tensor) -> None:
        """Keep what is new among the rows from `begin` on, once in `settings.PIECE_SECONDS`."""
        if time.monotonic() - self._saved >= settings.PIECE_SECONDS:
            new = rows[self._end - begin :].clone()
            cache.write(self._key(begin=self._end), {"rows": new})
            self._count(len(new))

    def remove(self) -> None:
        """Leave nothing behind."""
        for begin in self._starts:
            cache.remove(self._key(begin=begin))

    def _count(self, rows: int) -> None:
        self._starts.append(self._end)
        self._end, self._saved = self._end + rows, time.monotonic()
