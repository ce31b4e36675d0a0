"""A pretrained image encoder of the package index on real images: its vectors, its layers, and its head."""

from pathlib import Path

import numpy as np
import pytest
import torch

from relviz.core.measures import MEASURES, Pair
from relviz.data.catalogue import load_dataset
from relviz.encoding.heads import choose_head
from relviz.models.axes import channel_axes
from relviz.models.catalogue import find
from relviz.models.nodes import MOST_LAYERS, layers
from relviz.packages import needed

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
IMAGES, VECTORS = SHARED / "cifar10_lossless.npz", SHARED / "embeddings" / "cifar10_imagenet_encoders.npz"
NAMES = ("effnet0", "effnet2", "squeezenet", "alexnet", "vgg16")
TESTED, N = 4000, 80  # the first test image, and how many are encoded

pytestmark = pytest.mark.skipif(not IMAGES.is_file(), reason=f"CIFAR-10 is not at {IMAGES}")


def test_vectors_are_most_like_those_that_others_made_with_these_weights() -> None:
    data, encoder = load_dataset(str(IMAGES)), find("efficientnet-lite:0").load()
    found = torch.cat([encoder.encode(data, slice(i, i + 20)) for i in range(TESTED, TESTED + N, 20)])
    with np.load(VECTORS) as stored:
        others = {name: torch.from_numpy(stored[f"{name}_test"][:N].astype(np.float32)) for name in NAMES}
    alike = {name: MEASURES["cka-debiased"](Pair(found, other, k=10)).value or 0.0 for name, other in others.items()}
    # They saw the images at 112 pixels a side and we at 224, so the vectors cannot be equal.
    assert max(alike, key=lambda name: alike[name]) == "effnet0" and alike["effnet0"] > 0.6
    shuffled = MEASURES["cka-debiased"](Pair(found, others["effnet0"].roll(1, 0), k=10)).value
    assert shuffled is not None and abs(shuffled) < 0.1


def test_its_head_knows_other_classes_so_one_is_fitted() -> None:
    model, data = find("efficientnet-lite:0"), load_dataset(str(IMAGES))
    assert model.head is not None and model.head.weight.shape == (1280, 1000)
    chosen = choose_head(model, data, torch.rand(data.gallery_size, 1280))
    assert chosen.words == "fitted on the gallery" and "tells other classes apart" in chosen.notes[0]


def test_its_layers_are_its_blocks() -> None:
    model, data = find("efficientnet-lite:0"), load_dataset(str(IMAGES))
    found = model.load().layers(data)
    assert len(found) == MOST_LAYERS and list(found)[-1] == "_fc" and sum("_blocks" in name for name in found) == 10
    vectors = model.load().encode_nodes(data, slice(0, 3), list(found))
    assert [tuple(space.shape) for space in vectors] == [(3, width) for width in found.values()]


def test_the_layers_of_a_network_of_torchvision_are_its_blocks() -> None:
    models = needed("torchvision.models", requirement="torchvision", purpose="These tests")
    network = models.resnet18(weights=None).eval()
    blocks = [f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)]
    with torch.inference_mode():
        images = (torch.rand(2, 3, 64, 64),)
        found = list(layers(network, images, channel_axes(network, images)))
    assert found == ["maxpool", *blocks[:-1], "avgpool", "fc"]
