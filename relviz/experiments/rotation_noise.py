"""The first picture of 2209.15430: rotate a space, add a little noise, and compare distances."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from relviz.core.projections import project
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import fitting_model, space_of
from relviz.experiments.report import Claim, Published, Report, Row, mean, row, value
from relviz.plots.experiments import bars
from relviz.progress import Progress

MODEL, DATA = "fmnist-ae-s0", "fashion-mnist:n=1000,seed=0"
SAMPLES, ANCHORS, NOISE, DRAWS = 512, 500, 0.001, 10
GAUSSIAN = (1000, 128, 300)  # samples, width and anchors of the second demo
PUBLISHED = {
    "distance absolute": Published(3.26, "R"),
    "distance relative": Published(0.0162, "R"),
    "cosine absolute": Published(0.018, "R"),
    "cosine relative": Published(1.000, "R"),
}
ENCODED, SCALED, RANDOM = "autoencoder", "autoencoder, scaled to the published distance", "random vectors"


def run(quick: bool, progress: Progress) -> Report:
    """Distances between an autoencoder's space and its copies, and cosines between random vectors and theirs."""
    draws = 2 if quick else DRAWS
    data = load_dataset(DATA)
    space = space_of(fitting_model(MODEL, data), data, progress)[data.gallery][:SAMPLES].double()
    length = float(space.norm(dim=1).mean())
    # A random rotation takes a vector about sqrt(2) times its length away.
    scaled = space * (PUBLISHED["distance absolute"].value / (math.sqrt(2) * length))
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(draws):
        progress(seed / draws, "rotating")
        for where, what, number in _draw({SCALED: scaled, ENCODED: space}, seed):
            found.setdefault((where, what), []).append(number)
    rows = [
        row(where, what, mean(numbers), None if where == ENCODED else PUBLISHED[what])
        for (where, what), numbers in found.items()
    ]
    rows.append(row(ENCODED, "mean length of the vectors", length))
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[f"{len(space)} Fashion-MNIST images through {MODEL}", f"{GAUSSIAN[0]} Gaussian vectors"],
        differences=[
            f"Fashion-MNIST and a bundled autoencoder of width {space.shape[1]} instead of MNIST and one of width 500",
            f"mean over {draws} rotations instead of one picture",
            "noise and distances are in units of the space, whose vectors are longer here: beside the published "
            "numbers stands the space scaled so that the absolute distance is the published one",
        ],
        figure=bars(
            {
                "ours": {r.what: r.ours or 0.0 for r in rows[:2]},
                "published": {r.what: r.published or 0.0 for r in rows[:2]},
            },
            y="mean distance between the copies",
            log_y=True,
        ),
    )


def _draw(spaces: dict[str, Tensor], seed: int) -> Iterator[tuple[str, str, float]]:
    """One rotation: where, what, and the number."""
    generator = torch.Generator().manual_seed(seed)
    for where, space in spaces.items():
        anchors = torch.randperm(len(space), generator=generator)[:ANCHORS]
        for kind, (x, y) in _both(space, copy(space, NOISE, generator), anchors).items():
            yield where, f"distance {kind}", float((x - y).norm(dim=1).mean())
    n, width, k = GAUSSIAN
    points = torch.randn(n, width, generator=generator, dtype=torch.float64)
    for kind, (x, y) in _both(points, copy(points, 0.0, generator), torch.arange(k)).items():
        yield RANDOM, f"cosine {kind}", float(torch.cosine_similarity(x, y).mean())


def copy(space: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """The space under a random rotation or reflection, with Gaussian noise of that standard deviation."""
    square = torch.randn(space.shape[1], space.shape[1], generator=generator, dtype=torch.float64)
    turned = space @ torch.linalg.qr(square).Q
    return turned + noise * torch.randn(turned.shape, generator=generator, dtype=torch.float64)


def claims(rows: list[Row]) -> list[Claim]:
    """What the rows must show."""
    told = {
        where: [value(rows, where, f"distance {kind}") for kind in ("absolute", "relative")]
        for where in (SCALED, ENCODED)
    }
    cosine = value(rows, RANDOM, "cosine relative")
    return [
        Claim(
            "Relative distances are at least 100 times smaller than absolute ones.",
            all(absolute >= 100 * relative for absolute, relative in told.values()),
            "; ".join(f"{where}: {a:.3g} and {r:.3g}, {a / max(r, 1e-12):.0f} times" for where, (a, r) in told.items()),
        ),
        Claim("A rotation leaves relative coordinates as they are.", cosine > 0.999, f"mean cosine {cosine:.4f}"),
    ]


def _both(x: Tensor, y: Tensor, anchors: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    first, second = (project(z, z[anchors], name="cosine") for z in (x, y))
    return {"absolute": (x, y), "relative": (first, second)}
