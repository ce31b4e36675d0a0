"""The networks of the bundled models: an encoder, and a head or a decoder.

Every network takes images as float `n x 1 x s x s` in [0, 1] and offers `encode`, which gives the
latent vectors `n x d` that relviz looks at. Nothing lies between latent and head, so that a foreign
latent vector can be fed to the head as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


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


class Relative(nn.Module):
    """An encoder whose vectors are relative: cosine similarities to anchors, layer-normalised.

    The anchors are images among its tensors, encoded anew each time and never learned through. The normalisation has no
    weights of its own, so that these coordinates mean the same to whatever reads them.
    """

    anchors: Tensor

    def __init__(self, encoder: nn.Module, anchors: int, size: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.LayerNorm(anchors, elementwise_affine=False)
        self.register_buffer("anchors", torch.zeros(anchors, 1, size, size, dtype=torch.uint8))

    def forward(self, images: Tensor) -> Tensor:
        """Relative coordinates, `n x k`."""
        with torch.no_grad():
            anchors = normalize(self.encoder(self.anchors.to(images) / 255))
        return self.norm(normalize(self.encoder(images)) @ anchors.T)


class Autoencoder(nn.Module):
    """Encoder and decoder; variational when the encoder gives mean and log-variance."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, variational: bool) -> None:
        super().__init__()
        self.encoder, self.decoder, self.variational = encoder, decoder, variational

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of what the decoder reads; the log-variance is zero for a plain autoencoder."""
        return self._moments(self.encoder(images))

    def generate(self, code: Tensor) -> Tensor:
        """Images in [0, 1], `n x 1 x s x s`, of draws from the posterior."""
        return self.decoder(code)

    def encode(self, images: Tensor) -> Tensor:
        """Latent vectors, `n x d`: the mean of the posterior."""
        return self.posterior(images)[0]

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstructed images, `n x 1 x s x s`, of latent vectors."""
        return self.generate(latent)

    def _moments(self, code: Tensor) -> tuple[Tensor, Tensor]:
        if not self.variational:
            return code, torch.zeros_like(code)
        mean, log_variance = code.chunk(2, dim=1)
        return mean, log_variance


class RelativeAutoencoder(Autoencoder):
    """Its latent vectors are relative coordinates `n x k`; the posterior comes after them, on the decoder's side."""

    def __init__(self, encoder: Relative, bottleneck: nn.Module, decoder: nn.Module, *, variational: bool) -> None:
        super().__init__(encoder, decoder, variational=variational)
        self.bottleneck = bottleneck

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """As `Autoencoder`."""
        return self._moments(self.bottleneck(self.encoder(images)))

    def encode(self, images: Tensor) -> Tensor:
        """Relative coordinates, `n x k`."""
        return self.encoder(images)

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstructed images, `n x 1 x s x s`, of relative coordinates."""
        return self.generate(self._moments(self.bottleneck(latent))[0])


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


def _down_to(size: int, width: int) -> nn.Module:
    return nn.Sequential(
        *_down(1, 16), *_down(16, 32), *_down(32, 48), nn.Flatten(), nn.Linear(48 * _eighth(size) ** 2, width)
    )


def _up_from(size: int, width: int) -> nn.Module:
    side = _eighth(size)
    return nn.Sequential(
        nn.Linear(width, 48 * side * side), nn.GELU(), nn.Unflatten(1, (48, side, side)),
        *_up(48, 32), *_up(32, 16), nn.Upsample(size=(size, size)),
        nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid(),
    )  # fmt: skip


def _eighth(size: int) -> int:
    return -(-size // 8)  # three halvings, each rounding up


def _convolutional(size: int, width: int, _anchors: int, *, variational: bool) -> Autoencoder:
    encoder = _down_to(size, 2 * width if variational else width)
    return Autoencoder(encoder, _up_from(size, width), variational=variational)


def _linear(size: int, width: int, _anchors: int, *, variational: bool) -> Autoencoder:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(size * size, 2 * width if variational else width))
    decoder = nn.Sequential(nn.Linear(width, size * size), nn.Unflatten(1, (1, size, size)))
    return Autoencoder(encoder, decoder, variational=variational)


def _relative(size: int, width: int, anchors: int, *, variational: bool) -> Autoencoder:
    encoder = Relative(_down_to(size, width), anchors, size)
    bottleneck = nn.Linear(anchors, 2 * width if variational else width)
    return RelativeAutoencoder(encoder, bottleneck, _up_from(size, width), variational=variational)


ENCODERS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "vit": VisionTransformer,
}
AUTOENCODERS: dict[str, Callable[[int, int, int], Autoencoder]] = {
    "ae": partial(_convolutional, variational=False),
    "ae2": partial(_convolutional, variational=False),
    "vae": partial(_convolutional, variational=True),
    "linae": partial(_linear, variational=False),
    "linvae": partial(_linear, variational=True),
    "relae": partial(_relative, variational=False),
    "relvae": partial(_relative, variational=True),
}


def build(architecture: str, *, size: int, width: int, classes: int, anchors: int = 0) -> Classifier | Autoencoder:
    """A fresh network with random weights.

    Parameters
    ----------
    architecture: a key of `AUTOENCODERS` or of `ENCODERS`; of these also after "rel", with a relative layer.
    size: side of the square grey images, in pixels.
    width: width d of what the encoder proper gives.
    classes: number of classes c (unused by autoencoders).
    anchors: number of anchors k, which is the latent width then; 0 where there is no relative layer.

    >>> net = build("cnn", size=28, width=128, classes=10)
    >>> net.encode(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 128])
    >>> build("relcnn", size=28, width=64, classes=10, anchors=20).encode(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 20])
    """
    network: Classifier | Autoencoder
    if architecture in AUTOENCODERS:
        network = AUTOENCODERS[architecture](size, width, anchors)
    elif anchors:
        encoder = ENCODERS[architecture.removeprefix("rel")](size, width)
        network = Classifier(Relative(encoder, anchors, size), anchors, classes)
    else:
        network = Classifier(ENCODERS[architecture](size, width), width, classes)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # three times faster on a CPU
    return network
