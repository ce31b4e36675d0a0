"""Values kept while they fit a budget of bytes; over it the least recently used go."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key. The newest always stays, however large: whoever put it there is about to use it.

    >>> kept = Kept(10, len)
    >>> kept["a"], kept["b"] = "1234", "5678"
    >>> kept.get("a")
    '1234'
    >>> kept["c"] = "9012"
    >>> [kept.get(key) for key in "abc"], kept.bytes
    (['1234', None, '9012'], 8)
    """

    def __init__(self, budget: int, size: Callable[[V], int]) -> None:
        self._budget, self._size = budget, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """Size of all values."""
        return sum(map(self._size, self._values.values()))

    def get(self, key: K) -> V | None:
        """The value, from now on the most recently used one, or None."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def __setitem__(self, key: K, value: V) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self.bytes > self._budget:
                self._values.popitem(last=False)
