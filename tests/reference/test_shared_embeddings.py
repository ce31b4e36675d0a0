"""Real encoders: what the data folder's README measured must come out of the product's own functions.

Protocol of that README: 300 random anchors from the training rows, one logistic head per encoder on columns
standardised by that encoder's training rows, mean stitched accuracy over all ordered pairs of unlike encoders; absolute
spaces of unlike widths are zero padded.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from relviz.core.heads.logistic import fit_logistic
from relviz.core.measures import MEASURES, Pair
from relviz.core.normalisation import standard
from relviz.core.projections import project

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "embeddings"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the shared embeddings are not at {FOLDER}")

IMAGES = ("cifar10_imagenet_encoders.npz", ("effnet0", "effnet2", "squeezenet", "alexnet", "vgg16"))
TEXTS = ("trec_text_encoders.npz", ("minilm6", "minilm3", "granite", "usem3", "glove50"))


def stitched_accuracy(file: str, encoders: tuple[str, ...], kind: str) -> float:
    with np.load(FOLDER / file) as arrays:
        spaces = {
            name: [torch.from_numpy(arrays[f"{name}_{part}"].astype(np.float32)) for part in ("train", "test")]
            for name in encoders
        }
        labels, held_out = (torch.from_numpy(arrays[f"y_{part}"].astype(np.int64)) for part in ("train", "test"))
    anchors = np.random.default_rng(0).choice(len(labels), 300, replace=False)
    read = {name: seen(train, test, train[anchors], kind) for name, (train, test) in spaces.items()}
    width = max(train.shape[1] for train, _ in read.values())
    read = {name: (padded(train, width), padded(test, width)) for name, (train, test) in read.items()}
    accuracies = []
    for head, (train, _) in read.items():
        scale = standard(train)
        fitted = fit_logistic(scale(train), labels, classes=int(labels.max()) + 1, penalty=10 / len(labels))
        accuracies += [fitted.accuracy(scale(test), held_out) for encoder, (_, test) in read.items() if encoder != head]
    assert len(accuracies) == len(encoders) * (len(encoders) - 1)
    return float(np.mean(accuracies))


def seen(train: Tensor, test: Tensor, anchors: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    if kind == "absolute":
        return train, test
    first, second = (project(x, anchors, name="cosine", centred=kind == "centred") for x in (train, test))
    return first, second


def padded(x: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(x, (0, width - x.shape[1]))


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        (IMAGES, "absolute", 0.101),
        (IMAGES, "plain", 0.571),
        (IMAGES, "centred", 0.615),
        (TEXTS, "absolute", 0.224),
        (TEXTS, "plain", 0.510),
        (TEXTS, "centred", 0.655),
    ],
)
def test_stitched_accuracy(source: tuple[str, tuple[str, ...]], kind: str, expected: float) -> None:
    assert stitched_accuracy(*source, kind) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "jaccard", "mrr"), [("absolute", 0.0, 0.001), ("plain", 0.060, 0.169), ("centred", 0.198, 0.645)]
)
def test_word_retrieval_from_glove_to_spacy(kind: str, jaccard: float, mrr: float) -> None:
    with np.load(FOLDER / "words5000.npz") as arrays:
        a, b = (torch.from_numpy(arrays[name].astype(np.float32)) for name in ("glove50", "spacy300"))
    anchors = np.random.default_rng(0).choice(len(a), 300, replace=False)
    if kind == "absolute":
        a, b = padded(a, b.shape[1]), b
    else:
        a, b = (project(x, x[anchors], name="cosine", centred=kind == "centred") for x in (a, b))
    pair = Pair(a, b, k=10)  # the README's MRR ranks all words
    assert MEASURES["jaccard"](pair).value == pytest.approx(jaccard, abs=0.02)
    assert MEASURES["mrr-full"](pair).value == pytest.approx(mrr, abs=0.02)
