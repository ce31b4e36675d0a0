"""Builders of the CIFAR ResNets (He et al. 2015, section 4.2), whose shortcuts subsample and pad with zeros.

    relviz add resnet20 --builder examples.cifar_resnet:resnet20 --checkpoint resnet20-12fca82f.th \
        --mean 0.485 0.456 0.406 --std 0.229 0.224 0.225
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut without weights."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, (channels - channels_in) // 2

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, half as wide and high where the stride is 2."""
        new = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(new + pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more)))


class ResNet(nn.Module):
    """Three stages of blocks, the mean over space, and a linear layer."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(blocks)))
        self.layer2 = nn.Sequential(Block(16, 32, 2), *(Block(32, 32, 1) for _ in range(blocks - 1)))
        self.layer3 = nn.Sequential(Block(32, 64, 2), *(Block(64, 64, 1) for _ in range(blocks - 1)))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores."""
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def resnet20() -> ResNet:
    """ResNet-20."""
    return ResNet(3)


def resnet56() -> ResNet:
    """ResNet-56."""
    return ResNet(9)
