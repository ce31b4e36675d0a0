"""The networks of the bundled models: an encoder, and a head or a decoder.

Every network takes images as float `n x 1 x s x s` in [0, 1] and offers `encode`, which gives the
latent vectors `n x d` that relviz looks at. Nothing lies between latent and head, so that a foreign
latent vector can be fed to the head as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Classifier(nn.Module):
    """An encoder with its native head: one linear layer from latent vector to class scores."""

    def __init__(self, encoder: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(width, classes)

    def encode(self, images: Tensor) -> Tensor:
        """Latent vectors, `n x d`."""
        return self.encoder(images)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, `n x c`."""
        return self.head(self.encode(images))


class Autoencoder(nn.Module):
    """Convolutional autoencoder; variational when the encoder gives mean and log-variance."""

    def __init__(self, size: int, width: int, *, variational: bool) -> None:
        super().__init__()
        self.variational = variational
        side = -(-size // 8)  # three halvings, each rounding up
        self.encoder = nn.Sequential(
            *_down(1, 16), *_down(16, 32), *_down(32, 48), nn.Flatten(),
            nn.Linear(48 * side * side, 2 * width if variational else width),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(width, 48 * side * side), nn.GELU(), nn.Unflatten(1, (48, side, side)),
            *_up(48, 32), *_up(32, 16), nn.Upsample(size=(size, size)),
            nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid(),
        )  # fmt: skip

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each `n x d`; the log-variance is zero for a plain autoencoder."""
        code = self.encoder(images)
        if not self.variational:
            return code, torch.zeros_like(code)
        mean, log_variance = code.chunk(2, dim=1)
        return mean, log_variance

    def encode(self, images: Tensor) -> Tensor:
        """Latent vectors, `n x d`: the mean of the posterior."""
        return self.posterior(images)[0]

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstructed images in [0, 1], `n x 1 x s x s`."""
        return self.decoder(latent)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.body(images) + self.shortcut(images))


class TokenMixer(nn.Module):
    """One pre-norm transformer layer: self-attention, then a two-layer perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        n, t, w = tokens.shape
        query, key, value = (
            self.query_key_value(self.norm_attention(tokens))
            .view(n, t, 3, self.heads, w // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(n, t, w))
        return tokens + self.mlp(self.norm_mlp(tokens))


class VisionTransformer(nn.Module):
    """One token per 4x4 patch from a convolutional stem, learned positions, the mean token as latent vector."""

    def __init__(self, size: int, width: int, *, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.patch = nn.Sequential(*_down(1, 32), nn.Conv2d(32, width, 3, 2, 1))
        self.position = nn.Parameter(0.02 * torch.randn(1, (size // 4) ** 2, width))
        self.layers = nn.Sequential(*(TokenMixer(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patch(images).flatten(2).transpose(1, 2) + self.position
        return self.norm(self.layers(tokens)).mean(1)


def _down(channels_in: int, channels: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels, 3, 2, 1), nn.BatchNorm2d(channels), nn.GELU()]


def _up(channels_in: int, channels: int) -> list[nn.Module]:
    return [
        nn.Upsample(scale_factor=2),
        nn.Conv2d(channels_in, channels, 3, padding=1),
        nn.BatchNorm2d(channels),
        nn.GELU(),
    ]


def _conv(channels_in: int, channels: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2)]


def _mlp(size: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(size * size, 192), nn.ReLU(), nn.Dropout(0.2), nn.Linear(192, width))


def _cnn(size: int, width: int) -> nn.Module:
    side = size // 8
    return nn.Sequential(
        *_conv(1, 32), *_conv(32, 64), *_conv(64, 64), nn.Flatten(), nn.Linear(64 * side * side, width)
    )


def _resnet(size: int, width: int) -> nn.Module:
    stem = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [ResidualBlock(16, 16, 1), ResidualBlock(16, 32, 2), ResidualBlock(32, width, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())


ENCODERS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "vit": VisionTransformer,
}
AUTOENCODERS = {"ae": False, "ae2": False, "vae": True}  # architecture -> variational?


def build(architecture: str, *, size: int, width: int, classes: int) -> Classifier | Autoencoder:
    """A fresh network with random weights.

    Parameters
    ----------
    architecture: a key of `ENCODERS` or `AUTOENCODERS`.
    size: side of the square grey images, in pixels.
    width: latent width d.
    classes: number of classes c (unused by autoencoders).

    >>> net = build("cnn", size=28, width=128, classes=10)
    >>> net.encode(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 128])
    """
    network: Classifier | Autoencoder
    if architecture in AUTOENCODERS:
        network = Autoencoder(size, width, variational=AUTOENCODERS[architecture])
    else:
        network = Classifier(ENCODERS[architecture](size, width), width, classes)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # three times faster on a CPU
    return network
