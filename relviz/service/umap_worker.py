"""The UMAP process: reads neighbour graphs on standard input, writes views on standard output.

Run by `relviz.service.reducer` as `python -m relviz.service.umap_worker`. Messages are safetensors with an 8-byte
length in front: arrays in, arrays out, no code either way.
"""

from __future__ import annotations

import os
import sys
from typing import IO

import torch
from safetensors.torch import load, save
from torch import Tensor

from relviz.core.neighbours import nearest_by_cosine
from relviz.core.reduction import pca, umap


def send(stream: IO[bytes], arrays: dict[str, Tensor]) -> None:
    """Write one message."""
    body = save({name: array.contiguous() for name, array in arrays.items()})
    stream.write(len(body).to_bytes(8, "big") + body)
    stream.flush()


def receive(stream: IO[bytes]) -> dict[str, Tensor] | None:
    """Read one message, or None when the other side is gone."""
    head = stream.read(8)
    body = stream.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    return load(body) if body else None


def _warm() -> None:
    """Compile everything on a few points, so that the first visitor does not wait for it."""
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    umap(*nearest_by_cosine(x, 15), pca(x), seed=0)


def main() -> None:
    """Serve until standard input ends."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # a library's print must not break the stream
    torch.set_num_threads(1)
    os.nice(10)  # a page that is being drawn comes first
    _warm()
    while (job := receive(sys.stdin.buffer)) is not None:
        view = umap(job["neighbours"], job["similarities"], job["start"], seed=int(job["seed"]))
        send(answers, {"view": view})


if __name__ == "__main__":
    main()
