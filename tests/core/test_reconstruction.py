"""Image errors against torchmetrics, and at their ends."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from relviz.core.reconstruction import peak_signal_to_noise, squared_error, structural_similarity
from relviz.errors import BadChoice

MEASURES = [squared_error, peak_signal_to_noise, structural_similarity]


def images(channels: int = 3) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    wanted = torch.rand(4, channels, 20, 17, generator=g, dtype=torch.float64)
    return (wanted + 0.2 * torch.randn(wanted.shape, generator=g, dtype=torch.float64)).clamp(0, 1), wanted


@pytest.mark.parametrize("channels", [1, 3])
def test_structural_similarity_is_that_of_torchmetrics(channels: int) -> None:
    found, wanted = images(channels)
    _, places = structural_similarity_index_measure(
        found, wanted, data_range=1.0, sigma=1.5, reduction="none", return_full_image=True
    )
    inside = places[..., 5:-5, 5:-5].mean((1, 2, 3))  # where its window does not reach over the edge
    assert torch.allclose(structural_similarity(found, wanted), inside, atol=1e-9)


def test_decibels_are_those_of_the_error() -> None:
    found, wanted = images()
    assert torch.allclose(10 ** (-peak_signal_to_noise(found, wanted) / 10), squared_error(found, wanted))


@pytest.mark.parametrize(("measure", "best"), list(zip(MEASURES, [0.0, 100.0, 1.0], strict=True)))
def test_a_copy_is_the_best_and_noise_is_worse(measure: Callable[[Tensor, Tensor], Tensor], best: float) -> None:
    found, wanted = images()
    assert measure(wanted, wanted).tolist() == pytest.approx([best] * 4, abs=1e-9)
    assert not torch.isclose(measure(found, wanted), measure(wanted, wanted), atol=1e-3).any()


@pytest.mark.parametrize("measure", MEASURES)
def test_unlike_shapes_are_refused(measure: Callable[[Tensor, Tensor], Tensor]) -> None:
    with pytest.raises(BadChoice, match="shapes"):
        measure(torch.zeros(1, 1, 12, 12), torch.zeros(1, 1, 12, 13))


def test_tiny_images_have_no_structural_similarity() -> None:
    with pytest.raises(BadChoice, match="8 x 8 pixels"):
        structural_similarity(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
