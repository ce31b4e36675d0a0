"""Builders that tests/models/test_own_text.py adds: small networks that read texts, right and wrong ones."""

import torch
from torch import Tensor, nn


class Letters(nn.Module):
    """The mean of what each letter stands for, and a head of two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.head = nn.Embedding(128, 6), nn.Linear(6, 2)

    def tokens(self, texts: list[str]) -> tuple[Tensor, ...]:
        """Numbers of letters, and 1 where there is one."""
        rows = [[ord(letter) % 128 for letter in text] for text in texts]
        longest = max(map(len, rows))
        padded = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        return padded, torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Class scores."""
        weights = mask.unsqueeze(2).float()
        return self.head((self.letters(tokens) * weights).sum(1) / weights.sum(1))


class Raising(Letters):
    """Its tokeniser lacks its vocabulary."""

    def tokens(self, texts: list[str]) -> tuple[Tensor, ...]:
        """Never any."""
        raise FileNotFoundError(f"no vocabulary for {len(texts)} texts")


class Unmasked(Letters):
    """Its tokeniser forgets the mask."""

    def tokens(self, texts: list[str]) -> tuple[Tensor, ...]:
        """Numbers alone."""
        return super().tokens(texts)[:1]


letters, raising, unmasked = Letters, Raising, Unmasked
