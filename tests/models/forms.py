"""Networks of many forms, for tests of what is found in them: heads, axes of channels, layouts."""

from collections import namedtuple
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as f


def body(width: int = 12) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU())


def maps() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


class HeadFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.classifier, self.body = nn.Linear(12, 10), body()

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.body(x)).log_softmax(1)


class HeadInTheMiddle(nn.Module):
    """Registers its head between two layers, and scales the scores by a temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.head, self.two = body(20), nn.Linear(12, 10), nn.Linear(20, 12)

    def forward(self, x: Tensor) -> Tensor:
        return 5 * self.head(torch.relu(self.two(self.one(x))))


class PointHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = maps(), nn.Conv2d(12, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)).mean((2, 3))


class PointHeadAfterPooling(PointHead):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3), keepdim=True))


class TokenHead(nn.Module):
    """Scores of every token, averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.body = nn.Linear(12, 10), nn.Linear(8, 12)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.body(x[:, 0]))).mean(1)


class SqueezeLike(PointHead):
    """A step between the convolution and the mean, as in SqueezeNet."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.head(self.body(x))).mean((2, 3))


class CosineHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 12))

    def forward(self, z: Tensor) -> Tensor:
        return 16 * f.linear(f.normalize(z), f.normalize(self.weight))


class Cosine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.body = CosineHead(), body()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.first, self.second = body(), nn.Linear(12, 10), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.body(x)
        scores = self.first(z)
        return scores, self.second(z)


class DeadTwoHeads(TwoHeads):
    """Every latent vector and score of a made-up sample is zero, so that equality tells nothing."""

    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            for part in (self.body[1], self.first, self.second):  # type: ignore[index]
                part.bias.fill_(-100.0 if part is self.body[1] else 0.0)  # type: ignore[index]


@dataclass
class Answer:
    loss: Tensor
    hidden: Tensor
    logits: Tensor


class AsAnswer(TwoHeads):
    def forward(self, x: Tensor) -> Answer:  # type: ignore[override]
        z = self.body(x)
        return Answer(torch.zeros(()), z, self.first(z))


class AsNested(TwoHeads):
    def forward(self, x: Tensor) -> dict[str, list[Tensor]]:  # type: ignore[override]
        z = self.body(x)
        return {"out": [self.first(z), z]}


Named = namedtuple("Named", "aux logits")


class AsNamed(TwoHeads):
    def forward(self, x: Tensor) -> Named:  # type: ignore[override]
        z = self.body(x)
        return Named(self.second(z), self.first(z))


class Auxiliary(TwoHeads):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        z = self.body(x)
        return self.first(z) + self.second(z) if self.training else self.first(z)


class Tied(nn.Module):
    """The head's weight is that of the layer below it, by the same memory."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.body, self.below = nn.Linear(12, 12), body(), nn.Linear(12, 12)
        self.head.weight = self.below.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.below(self.body(x))))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.body = nn.Parameter(torch.randn(10, 12)), body()

    def forward(self, x: Tensor) -> Tensor:
        return f.linear(self.body(x), self.weight)


class WeightNormed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.body = nn.utils.parametrizations.weight_norm(nn.Linear(12, 10)), body()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class Pixels(nn.Module):
    """No layer but its head."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.flatten(1))


class Windows(nn.Module):
    """Attention in windows of maps whose channels come last, as in Swin; all sides are 8."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(1, 8, 1), nn.LayerNorm(8)
        self.attention, self.last = nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).permute(0, 2, 3, 1)
        windows = self.norm(x).reshape(-1, 2, 4, 2, 4, 8).transpose(2, 3).reshape(-1, 16, 8)
        seen = self.attention(windows, windows, windows)[0]
        x = self.last(x + seen.reshape(-1, 2, 2, 4, 4, 8).transpose(2, 3).reshape(x.shape))
        return self.head(x.mean((1, 2)))


class Swap(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1) * 1.0


class ChannelsLast(nn.Module):
    """Turned by a module without weights; only a change of the input's size tells the axis there."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.swap, self.head = nn.Conv2d(1, 6, 3, stride=2, padding=1), Swap(), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.swap(self.conv(x))).mean((1, 2)))


class Signals(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 6, 3), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2), nn.AdaptiveAvgPool1d(1), nn.Flatten()
        )
        self.fc = nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.body(x.flatten(1)[:, None]))


class Tokens(nn.Module):
    """A transformer over rows of pixels with fixed positions, as ViT."""

    def __init__(self, *, batch_first: bool = True) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.embed, self.positions = nn.Linear(8, 16), nn.Parameter(torch.randn(8, 16))
        self.block = nn.TransformerEncoderLayer(16, 2, 16, batch_first=batch_first)
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x[:, 0]) + self.positions
        x = self.block(x) if self.batch_first else self.block(x.transpose(0, 1)).transpose(0, 1)
        return self.head(self.norm(x)[:, 0])


class SequenceFirst(Tokens):
    def __init__(self) -> None:
        super().__init__(batch_first=False)


class Confused(SequenceFirst):
    """Gives n x t x c to a layer that takes t x n x c, so that samples look at each other."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.block(self.embed(x[:, 0]) + self.positions))[:, 0])


class Cube(nn.Module):
    """Nothing says which of three equal axes holds the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.mix, self.head = nn.Parameter(torch.randn(8, 64)), nn.Identity(), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(torch.tanh(x.flatten(1) @ self.weight.T.repeat(1, 64)).view(-1, 8, 8, 8))
        return self.head(x.mean((1, 2)))


class Views(nn.Module):
    """Flattens maps by a view, which needs them laid out plainly."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.one, self.two = nn.Conv2d(1, 6, 3), nn.Linear(216, 12), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(torch.relu(self.one(self.conv(x).view(len(x), -1))))


class ViewsInside(Views):
    """Shuffles channels by a view."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.two(torch.relu(self.one(x.view(len(x), 2, -1).transpose(1, 2).flatten(1))))


class Strides(Views):
    """Reads the numbers as they lie in memory: runs in any layout, and gives other vectors in another one."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.two(torch.relu(self.one(x.as_strided((len(x), 216), (216, 1)))))
