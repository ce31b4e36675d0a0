"""Anchors by what they are called: chosen by hand, listed in a file, or shared by two data sets."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from relviz.errors import BadChoice


def explicit_anchors(ids: Sequence[str], gallery: Sequence[str]) -> Int[Tensor, "k"]:
    """Gallery rows of samples chosen by hand, in the order given.

    Parameters
    ----------
    ids: of the anchors.
    gallery: what each row of the gallery is called, no id twice.

    Raises
    ------
    BadChoice: no ids, one that is not in the gallery, or one twice.

    >>> explicit_anchors(["e", "a"], ["a", "b", "c", "d", "e"]).tolist()
    [4, 0]
    """
    if not ids:
        raise BadChoice("No anchors are named.", "Name at least 1 sample of the gallery.")
    place = {name: row for row, name in enumerate(gallery)}
    for name in ids:
        if name not in place:
            known = f"Name samples of the gallery, such as {_short(gallery[0])!r}."
            raise BadChoice(f"The gallery has no sample {_short(name)!r}.", known)
    _refuse_repeated(ids, "anchors")
    return torch.tensor([place[name] for name in ids], dtype=torch.int64)


def parse_anchor_ids(text: str) -> list[str]:
    """Ids from a text: one on a line, or several separated by commas; what is empty is passed over.

    Raises
    ------
    BadChoice: there are no ids.

    >>> parse_anchor_ids("4, 0\\n\\nw17\\n")
    ['4', '0', 'w17']
    """
    ids = [word for line in text.splitlines() for part in line.split(",") if (word := part.strip())]
    if not ids:
        raise BadChoice("The text names no anchors.", "Write one id on each line.")
    return ids


def parallel_anchors(
    ids_a: Sequence[Hashable], ids_b: Sequence[Hashable], count: int, *, seed: int
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Anchors that two galleries share: rows of A and rows of B whose ids agree, drawn uniformly.

    Source: 2209.15430, its translated reviews.

    Parameters
    ----------
    ids_a, ids_b: what each row of a gallery is, no id twice.
    count: number of anchors, 1 to the number of ids in common.

    Raises
    ------
    BadChoice: an id twice, none in common, or count or seed out of range.

    >>> a, b = parallel_anchors(["x", "y", "z"], ["z", "w", "x"], 2, seed=0)
    >>> sorted(zip(a.tolist(), b.tolist()))
    [(0, 2), (2, 0)]
    """
    _refuse_repeated(ids_a, "ids of A")
    _refuse_repeated(ids_b, "ids of B")
    place = {name: row for row, name in enumerate(ids_b)}
    shared = torch.tensor([(row, place[name]) for row, name in enumerate(ids_a) if name in place], dtype=torch.int64)
    if len(shared) == 0:
        raise BadChoice("The two galleries have no id in common.", "Choose data sets that hold the same items.")
    check_count(count, len(shared), "ids in common", seed=seed)
    rows_a, rows_b = shared[torch.randperm(len(shared), generator=generator(seed))[:count]].T
    return rows_a, rows_b


def check_count(count: int, most: int, what: str, *, seed: int) -> None:
    """Refuse a number of anchors that is not between 1 and `most`, and a negative seed.

    Raises
    ------
    BadChoice: the count is out of its range, or the seed is negative.

    >>> check_count(3, 2, "gallery rows", seed=0)
    Traceback (most recent call last):
        ...
    relviz.errors.BadChoice: 3 anchors are more than the 2 gallery rows. Choose at most 2.
    """
    if count < 1:
        raise BadChoice(f"{count} anchors are too few.", "Choose at least 1.")
    if count > most:
        raise BadChoice(f"{count} anchors are more than the {most} {what}.", f"Choose at most {most}.")
    if seed < 0:
        raise BadChoice(f"The seed {seed} is negative.", "Choose 0 or more.")


def generator(seed: int) -> torch.Generator:
    """The stream of random numbers of a seed, the same on every device.

    Raises nothing for a seed of 0 or more.

    >>> generator(3).initial_seed()
    3
    """
    return torch.Generator().manual_seed(seed)


def _refuse_repeated(ids: Sequence[Hashable], what: str) -> None:
    seen = set()
    for name in ids:
        if name in seen:
            raise BadChoice(f"{_short(name)!r} appears twice among the {what}.", "Name each only once.")
        seen.add(name)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
