"""Training of the bundled networks: tensors in, trained network out. No files, no names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from relviz.models.architectures import AUTOENCODERS, Autoencoder, Classifier, build

Progress: TypeAlias = Callable[[float, str], None]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a trained network, apart from the data's bytes."""

    name: str
    architecture: str
    width: int
    data: str
    seed: int
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    batch: int = 128
    augment: bool = False

    @property
    def reconstructs(self) -> bool:
        """Whether the network is an autoencoder."""
        return self.architecture in AUTOENCODERS


def train(recipe: Recipe, images: Tensor, labels: Tensor, *, progress: Progress) -> Classifier | Autoencoder:
    """Train one network from scratch, in evaluation mode when returned.

    Parameters
    ----------
    images: float `n x 1 x s x s` in [0, 1].
    labels: int64 `n`, classes 0 to c-1 (unused by autoencoders).
    progress: told the share done and a line of text after every epoch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build(recipe.architecture, size=images.shape[-1], width=recipe.width, classes=int(labels.max()) + 1)
        _optimise(network, recipe, images, labels, progress)
    return network.eval()


def _optimise(
    network: Classifier | Autoencoder, recipe: Recipe, images: Tensor, labels: Tensor, progress: Progress
) -> None:
    steps = recipe.epochs * (len(images) // recipe.batch)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
    network.train()
    for epoch in range(recipe.epochs):
        total = torch.zeros(())
        order = torch.randperm(len(images))[: len(images) // recipe.batch * recipe.batch]
        for rows in order.split(recipe.batch):
            batch = _augment(images[rows]) if recipe.augment else images[rows]
            loss = _loss(network, batch, labels[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total += loss.detach()
        mean = float(total) * recipe.batch / len(order)
        progress((epoch + 1) / recipe.epochs, f"{recipe.name}: epoch {epoch + 1} of {recipe.epochs}, loss {mean:.4f}")


def _loss(network: Classifier | Autoencoder, images: Tensor, labels: Tensor) -> Tensor:
    if isinstance(network, Classifier):
        return torch.nn.functional.cross_entropy(network(images), labels, label_smoothing=0.05)
    mean, log_variance = network.posterior(images)
    noise = torch.randn_like(mean) * torch.exp(0.5 * log_variance) if network.variational else 0.0
    error = torch.nn.functional.mse_loss(network.decode(mean + noise), images)
    if not network.variational:
        return error
    # Gaussian likelihood with its optimal variance, as in the papers' autoencoders, plus the divergence
    # from the standard normal, both per pixel.
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
    return 0.5 * torch.log(error) + divergence / images[0].numel()


def _augment(images: Tensor) -> Tensor:
    """Mirror half of the images and shift the batch by up to two pixels each way."""
    mirrored = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
    down, right = torch.randint(-2, 3, (2,)).tolist()
    return mirrored.roll((down, right), (2, 3))


def accuracy(network: Classifier, images: Tensor, labels: Tensor) -> float:
    """Share of images whose class the native head names, in [0, 1]."""
    with torch.inference_mode():
        scores = torch.cat([network(part) for part in images.split(500)])
    return float((scores.argmax(1) == labels).double().mean())


def reconstruction_error(network: Autoencoder, images: Tensor) -> float:
    """Mean squared error per pixel of the network's own reconstructions."""
    with torch.inference_mode():
        parts = [(network.decode(network.encode(part)) - part).square().sum() for part in images.split(500)]
    return float(torch.stack(parts).double().sum() / images.numel())
