import pytest
import scipy.linalg
import torch
from torch import Tensor

from relviz.core.translation import ortho


def anchors(k: int = 60, d: int = 8) -> Tensor:
    return torch.randn(k, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 2


def rotation(d: int) -> Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q


def test_agrees_with_scipy() -> None:
    x = anchors()
    y = x @ torch.randn(8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    centred_x, centred_y = x - x.mean(0), y - y.mean(0)
    matrix, scale = scipy.linalg.orthogonal_procrustes(centred_x.numpy(), centred_y.numpy())
    expected = torch.from_numpy(matrix) * scale / centred_x.square().sum()
    torch.testing.assert_close(ortho(x, y).matrix, expected, atol=1e-9, rtol=0)


def test_a_rotated_scaled_shifted_copy_is_found_exactly() -> None:
    x = anchors()
    y = 3 * x @ rotation(8) + 5
    torch.testing.assert_close(ortho(x, y)(x), y, atol=1e-10, rtol=0)


@pytest.mark.parametrize(("k", "d"), [(60, 8), (5, 40), (1, 8), (60, 60)])
def test_a_space_to_itself_comes_back_even_where_anchors_say_nothing(k: int, d: int) -> None:
    x = anchors(k, d)
    if k > 1:
        x[:, 0] = 0  # a dead feature on the anchors that lives elsewhere
        others = anchors(200, d)
        torch.testing.assert_close(ortho(x, x)(others), others, atol=1e-9, rtol=0)
    assert torch.isfinite(ortho(x, x)(x)).all()


def test_unlike_widths_are_padded_and_cropped() -> None:
    narrow = anchors(60, 5)
    wide = torch.cat([narrow, torch.zeros(60, 3, dtype=torch.float64)], dim=1) @ rotation(8)
    torch.testing.assert_close(ortho(narrow, wide)(narrow), wide, atol=1e-9, rtol=0)
    torch.testing.assert_close(ortho(wide, narrow)(wide), narrow, atol=1e-9, rtol=0)
