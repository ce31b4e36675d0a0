"""Every registered method on a device, and how far two devices are apart."""

from __future__ import annotations

import torch
from torch import Tensor

from relviz.core.heads import HEADS
from relviz.core.measures import MEASURES, Pair
from relviz.core.projections import PROJECTIONS, project
from relviz.core.translations import TRANSLATIONS
from relviz.core.translations.inverse import translate_by_inverse
from relviz.requests import Compare, Layers, Maps, Similarity, Stitch
from relviz.usecases.table import run

CLOSED_FORM = [name for name in TRANSLATIONS if name != "affine-gradient"]
CLASSES, WIDTH, ANCHORS, K = 5, 24, 60, 10


def inputs(seed: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two related float32 spaces of clusters off the origin, and labels."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (n,), generator=draw)
    a = torch.randn(CLASSES, WIDTH, generator=draw)[labels] + torch.randn(n, WIDTH, generator=draw) + 0.5
    mixed = a + 0.1 * a @ torch.randn(WIDTH, WIDTH, generator=draw) / WIDTH**0.5
    return a, mixed + 0.2 * torch.randn(n, WIDTH, generator=draw), labels


def results(a: Tensor, b: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """What every method makes of the spaces, computed where they are."""
    anchors_a, anchors_b = a[:ANCHORS], b[:ANCHORS]
    pair = Pair(a, b, k=K)
    found = {f"measure {name}": torch.tensor(measure(pair).value) for name, measure in MEASURES.items()}
    for name in PROJECTIONS:
        for centred in (False, True):
            found[f"projection {name}, centred {centred}"] = project(a, anchors_a, name=name, centred=centred)
    for name in CLOSED_FORM:
        found[f"translation {name}"] = TRANSLATIONS[name].function(anchors_a, anchors_b)(a)
    found["translation inverse"] = translate_by_inverse(anchors_a, anchors_b)(a)
    for name, entry in HEADS.items():
        found[f"head {name}"] = entry.function(a, labels, classes=CLASSES).scores(a)
    strays = [name for name, x in found.items() if x.device != a.device and not name.startswith("measure")]
    assert not strays, f"not on {a.device}: {strays}"
    return {name: tensor.cpu().double() for name, tensor in found.items()}


def answers() -> dict[str, Tensor]:
    """Numbers of every use case, by way of the chosen device."""
    a, b, data = "digits-cnn-s0", "digits-mlp-s0", "digits"
    compared, boards = run(Compare(a, b, data, measures=tuple(MEASURES))), run(Similarity("jaccard", data))
    cells = run(Stitch((a, b), data, methods=("absolute", "relative-cosine", "ortho", "affine")))
    maps, layers = run(Maps(a, b, data, reduction="pca")), run(Layers("cka", a, b, data))
    found = {
        "compare": [value.value for side in (compared.absolute, compared.relative) for value in side.values()],
        "similarity": [value.value for board in (boards.absolute, boards.relative) for row in board for value in row],
        "layers": [value.value for row in layers.values for value in row],
        "stitch": [cell.accuracy for cell in cells],
        "maps": [getattr(maps, name).kept for name in ("absolute_a", "absolute_b", "relative_a", "relative_b")],
    }
    return {name: torch.tensor([-1 if x is None else x for x in values]).double() for name, values in found.items()}


def gaps(one: dict[str, Tensor], other: dict[str, Tensor]) -> dict[str, float]:
    """Relative distance of equally named results."""
    assert one.keys() == other.keys()
    return {name: float((one[name] - other[name]).norm() / one[name].norm()) for name in one}
