"""Counts how often intervals and null bands hold what they promise: `python -m benchmarks.coverage [SPACES]`.

Spaces of 100 samples in 8 dimensions, the other one the same with noise; for null bands another one. What very many
samples give is the value of 20,000 (of rank correlation, which looks at 2,000 at most, of those).
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from relviz.core.inference import bootstrap_interval, null_band
from relviz.core.measures import MEASURES, Measure, Pair

N, D, K, NOISE = 100, 8, 5, 0.6
FRESH = 500  # spaces whose mean is what an interval should hold
MANY = 20_000


def main() -> None:
    """One line of a table for each measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    torch.set_num_threads(1)
    print("| measure | mean at this n | many samples | outside the null band |\n| --- | --- | --- | --- |")
    for name, measure in MEASURES.items():
        shares = _covered(measure, count)
        print(f"| `{name}` | {' | '.join('' if share is None else f'{share:.1%}' for share in shares)} |", flush=True)


def spaces(seed: int, n: int) -> tuple[Tensor, Tensor]:
    """A cloud longer in some directions than in others, and itself with noise."""
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(n, D, generator=g) * torch.arange(1, D + 1) ** -0.5
    return a, a + NOISE * torch.randn(n, D, generator=g)


def _covered(measure: Measure, count: int) -> tuple[float, float | None, float]:
    fresh = [measure(Pair(*spaces(1_000_000 + seed, N), k=K)) for seed in range(FRESH)]
    mean = sum(found.value or 0.0 for found in fresh) / FRESH
    many = None if fresh[0].chance is not None else measure(Pair(*spaces(2_000_000, MANY), k=K)).value
    held_mean, held_many, outside = 0, 0, 0
    for seed in range(count):
        (a, b), other = spaces(seed, N), spaces(3_000_000 + seed, N)[0]
        low, high = bootstrap_interval(a, b, measure, k=K, seed=seed) or (1.0, 0.0)
        held_mean += low <= mean <= high
        held_many += many is not None and low <= many <= high
        low, high = null_band(a, other, measure, k=K, draws=100, seed=seed) or (1.0, 0.0)
        outside += not low <= (measure(Pair(a, other, k=K)).value or 0.0) <= high
    return held_mean / count, None if many is None else held_many / count, outside / count


if __name__ == "__main__":
    main()
