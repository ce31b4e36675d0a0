"""Synthetic spaces of the size that benchmarks quote."""

from __future__ import annotations

import torch
from torch import Tensor


def two_spaces(n: int = 10_000, d: int = 768, *, classes: int = 100) -> tuple[Tensor, Tensor, Tensor]:
    """A clustered space with a decaying spectrum, a rotated noisy copy, and class labels; float32, seeded."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, (n,), generator=g)
    spectrum = torch.arange(1, d + 1).float().rsqrt()
    a = (torch.randn(classes, d, generator=g)[labels] + torch.randn(n, d, generator=g)) * spectrum
    rotation = torch.linalg.qr(torch.randn(d, d, generator=g)).Q
    b = a @ rotation + 0.1 * spectrum.mean() * torch.randn(n, d, generator=g)
    return a, b, labels
