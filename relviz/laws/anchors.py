"""Laws of anchor strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from relviz.core.anchors import STRATEGIES, select_anchors
from relviz.errors import BadChoice
from relviz.laws.outcome import Law, Outcome

LABELS = torch.arange(1000) % 7
VECTORS = torch.randn(1000, 8, generator=torch.Generator().manual_seed(5)) + 0.3
FREQUENCIES = torch.arange(1000).flip(0)
MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "isotropic scale": lambda x: 4 * x,
    "orthogonal": lambda x: x @ torch.linalg.qr(x[:8].double()).Q.to(x.dtype),
    "translation": lambda x: x + torch.linspace(-2, 2, 8, dtype=x.dtype),
    "permutation": lambda x: x.flip(1),
    "linear": lambda x: x * torch.linspace(0.2, 5, 8, dtype=x.dtype),
}
EDGES = {
    "one": VECTORS[:1],
    "two": VECTORS[:2],
    "equal": torch.ones(12, 3),
    "zero": torch.zeros(12, 3),
    "huge": 1e30 * VECTORS[:12],
    "tiny": 1e-40 * VECTORS[:12],
    "half": VECTORS[:12].half(),
    "one feature": VECTORS[:12, :1],
}


def select(strategy: str, count: int, *, seed: int = 0, vectors: Tensor = VECTORS, **options: Any) -> Tensor:
    """Anchors of a gallery of which everything is known."""
    n = len(vectors)
    return select_anchors(
        LABELS[:n], strategy=strategy, count=count, seed=seed, vectors=vectors, frequencies=FREQUENCIES[:n], **options
    )


def rows_are_distinct_and_seeded(name: str) -> Outcome:
    """As many row numbers as asked for, each once, the same for the same seed; of odd galleries as well."""
    bad = [count for count in (1, 50, 1000) if not _sound(select(name, count, seed=3), count, len(LABELS))]
    unseeded = [count for count in (1, 50) if not select(name, count, seed=3).equal(select(name, count, seed=3))]
    for edge, vectors in EDGES.items():
        for count in {1, len(vectors) // 2 or 1, len(vectors)}:
            if not _sound(select(name, count, vectors=vectors), count, len(vectors)):
                return Outcome(False, f"broken by {count} of vectors that are {edge}")
    return Outcome(
        not (bad or unseeded), f"broken by {(bad or unseeded)[0]} anchors" if bad or unseeded else "1 to 1000"
    )


def _sound(rows: Tensor, count: int, n: int) -> bool:
    return rows.shape == (count,) and len(set(rows.tolist())) == count and 0 <= int(rows.min()) and int(rows.max()) < n


def invariances_hold_and_no_others(name: str) -> Outcome:
    """The same anchors after a transformation exactly where that is claimed."""
    x, claimed = VECTORS.double(), STRATEGIES[name].invariances
    same = {
        move for move, change in MOVES.items() if select(name, 50, vectors=x).equal(select(name, 50, vectors=change(x)))
    }
    return Outcome(same == claimed, f"unchanged by {', '.join(sorted(same)) or 'nothing'}")


def bad_galleries_are_refused(name: str) -> Outcome:
    """Values that are not finite in what it reads, and counts that are impossible."""
    tried: list[Callable[[], Tensor]] = [lambda: select(name, 0), lambda: select(name, 1001)]
    if "vectors" in STRATEGIES[name].needs:
        tried.append(lambda: select(name, 5, vectors=VECTORS.index_fill(0, torch.tensor(3), torch.nan)))
    refused = 0
    for attempt in tried:
        try:
            attempt()
        except BadChoice:
            refused += 1
    return Outcome(refused == len(tried), f"{refused} of {len(tried)} refused")


LAWS: dict[str, Law] = {
    "rows are distinct and seeded": rows_are_distinct_and_seeded,
    "claimed invariances hold and no others": invariances_hold_and_no_others,
    "bad galleries are refused": bad_galleries_are_refused,
}
