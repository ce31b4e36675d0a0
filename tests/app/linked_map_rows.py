"""Made-up rows for the linked maps: clusters, values, and a picture of row i that follows from i alone."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NAMES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]


def picture(row: NDArray[np.int64]) -> NDArray[np.uint8]:
    """16 x 16 grey pictures, another one for every row."""
    spots = np.arange(256).reshape(16, 16)
    return ((spots * 7 + row[:, None, None] * (spots % 13 + 1)) % 251).astype(np.uint8)


@lru_cache(maxsize=2)
def made_up(n: int, classes: int) -> dict[str, NDArray[np.generic]]:
    """Clusters on a circle; B is A rotated; relative A and B are one space, B a little off."""
    draw = np.random.default_rng(0)
    codes = draw.permutation(np.arange(n) % classes)
    angle = 2 * np.pi * codes / classes
    a = np.stack([np.cos(angle), np.sin(angle)], 1) + draw.normal(0, 0.05, (n, 2))
    turn = np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]])
    b = 5 * a @ turn + draw.normal(0, 0.3, (n, 2))
    relative = np.stack([np.cos(2 * angle), np.sin(3 * angle)], 1) + draw.normal(0, 0.07, (n, 2))
    near = relative + draw.normal(0, 0.01, (n, 2))
    places = {"a": a, "b": b, "relative a": relative, "relative b": near}
    found: dict[str, NDArray[np.generic]] = {name: place.astype(np.float32) for name, place in places.items()}
    pictures = picture(np.arange(min(n, 20_000)))
    return found | {"codes": codes, "agreement": draw.random(n).astype(np.float32), "pictures": pictures}
