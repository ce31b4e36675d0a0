"""How near reconstructed images are to the originals, sample by sample."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from relviz.errors import BadChoice

_WINDOW, _SPREAD = 11, 1.5  # pixels, of the Gaussian window of SSIM
_STEADY = 0.01**2, 0.03**2  # what keeps SSIM's two ratios from 0 / 0, for values in [0, 1]


def squared_error(found: Float[Tensor, "n c h w"], wanted: Float[Tensor, "m b i j"]) -> Float[Tensor, "n"]:
    """Mean squared error of each image over its values, 0 or more.

    Raises
    ------
    BadChoice: unlike shapes.

    >>> squared_error(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5)).tolist()
    [0.25]
    """
    _check(found, wanted)
    return (found.double() - wanted.double()).square().mean((1, 2, 3))


def peak_signal_to_noise(found: Float[Tensor, "n c h w"], wanted: Float[Tensor, "m b i j"]) -> Float[Tensor, "n"]:
    """Peak signal-to-noise ratio (PSNR) of each image in decibels, for values in [0, 1]; at most 100, an exact copy's.

    -10 log10 of the mean squared error. Source: the definition, as in scikit-image; the cap is ours.

    Raises
    ------
    BadChoice: unlike shapes.

    >>> peak_signal_to_noise(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.1)).round(decimals=4).tolist()
    [20.0]
    """
    return -10 * squared_error(found, wanted).clamp_min(1e-10).log10()


def structural_similarity(found: Float[Tensor, "n c h w"], wanted: Float[Tensor, "m b i j"]) -> Float[Tensor, "n"]:
    """Structural similarity (SSIM) of each image, in [-1, 1], for values in [0, 1]; 1 for an exact copy.

    Gaussian window of 11 pixels and standard deviation 1.5, over the places where it fits, mean over places and
    channels. Source: Wang et al. 2004 (10.1109/TIP.2003.819861).

    Raises
    ------
    BadChoice: unlike shapes, or images of fewer than 11 pixels a side.

    >>> image = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    >>> structural_similarity(image, image).tolist()
    [1.0]
    """
    _check(found, wanted)
    if min(found.shape[2:]) < _WINDOW:
        sides = " x ".join(map(str, found.shape[2:]))
        raise BadChoice(f"Images of {sides} pixels are too small for SSIM.", f"Give at least {_WINDOW} a side.")
    x, y = found.double(), wanted.double()
    window = _window(x)
    mean_x, mean_y = _blur(x, window), _blur(y, window)
    var_x, var_y = _blur(x * x, window) - mean_x**2, _blur(y * y, window) - mean_y**2
    both = _blur(x * y, window) - mean_x * mean_y
    light = (2 * mean_x * mean_y + _STEADY[0]) / (mean_x**2 + mean_y**2 + _STEADY[0])
    shape = (2 * both + _STEADY[1]) / (var_x + var_y + _STEADY[1])
    return (light * shape).mean((1, 2, 3)).clamp(-1, 1)


def _check(found: Tensor, wanted: Tensor) -> None:
    if found.shape != wanted.shape:
        raise BadChoice(
            f"The images have the shapes {tuple(found.shape)} and {tuple(wanted.shape)}.",
            "Compare images of one size.",
        )


def _window(like: Tensor) -> Tensor:
    places = torch.arange(_WINDOW, dtype=like.dtype, device=like.device) - _WINDOW // 2
    weights = (-places.square() / (2 * _SPREAD**2)).exp()
    return weights / weights.sum()


def _blur(x: Tensor, window: Tensor) -> Tensor:
    """Each channel by itself, first down, then across."""
    flat = x.reshape(-1, 1, *x.shape[2:])
    found = conv2d(conv2d(flat, window[None, None, :, None]), window[None, None, None, :])
    return found.reshape(*x.shape[:2], *found.shape[2:])
