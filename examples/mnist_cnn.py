"""Builder of a small CNN for MNIST, as torch's tutorials have it.

    relviz add mnist-cnn --builder examples.mnist_cnn:network --checkpoint mnist_example_net_mit.pt \
        --size 28 --mean 0.1307 --std 0.3081
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class Network(nn.Module):
    """Two convolutions with pooling, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores."""
        x = max_pool2d(torch.relu(self.conv1(x)), 2)
        x = max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def network() -> Network:
    """The network, to be filled with a checkpoint."""
    return Network()
