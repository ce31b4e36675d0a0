"""Builders that tests name, good and bad ones."""

import torch
from torch import Tensor, nn


class WithDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(64, 6), nn.Linear(6, 64)

    def encode(self, x: Tensor) -> Tensor:
        return self.down(x.flatten(1))

    def decode(self, latent: Tensor) -> Tensor:
        return self.up(latent).view(-1, 1, 8, 8)


def classifier() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 12), nn.ReLU(), nn.Linear(12, 10), nn.LogSoftmax(1)
    )


def encoder() -> nn.Module:
    return nn.Sequential(*list(classifier().children())[:5])


def autoencoder() -> nn.Module:
    return WithDecoder()


def tied() -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Linear(64, 64))
    network[2].weight = network[1].weight
    return network


def of_vectors() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))


def raising() -> nn.Module:
    raise ValueError("no such thing")


def no_network() -> Tensor:
    return torch.ones(2)


constant = 3
