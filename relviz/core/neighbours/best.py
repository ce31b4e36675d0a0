"""The best candidates of a search, and how rounding and ties among them are settled."""

from __future__ import annotations

from threading import Lock

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz import settings
from relviz.core.neighbours.points import Scores

COMPILED_FROM = 4096  # rows of a search from which on compiled kernels select
SPARE = 4  # candidates beyond the k wanted: what is ranked again in float64 is among them, unless many keys are equal


class Best:
    """The highest scores that each row was offered so far, highest first, and the numbers of their keys.

    As many as are wanted of n keys less the row's own, and `SPARE` more as far as there are any. Who offers scores of
    rows that others may offer to at the same time holds the `lock`.

    >>> best = Best(3, 2, torch.zeros(()))
    >>> best.offer(slice(0, 1), torch.tensor([[1.0, 5.0]]), first=0)
    >>> best.offer(slice(0, 1), torch.tensor([[3.0]]), first=2)
    >>> best.scores[0].tolist(), best.indices[0].tolist()
    ([5.0, 3.0], [1, 2])
    """

    def __init__(self, rows: int, k: int, like: Tensor) -> None:
        width = min(k + SPARE, rows - 1)
        self.lock = Lock()
        self.scores = like.new_full((rows, width), -torch.inf)
        self.indices = torch.zeros(rows, width, dtype=torch.int64, device=like.device)
        # Compiled kernels save half the time of a large search, and cost seconds once.
        self.compiled = like.device.type == "cpu" and like.dtype == torch.float32 and rows >= COMPILED_FROM

    def offer(self, rows: slice, scores: Float[Tensor, "b c"], *, first: int) -> None:
        """Scores of those rows with the keys numbered from `first` on; keys are to be offered in order."""
        if self.compiled:
            from relviz.core.neighbours.kernels import offer_rows

            lists = self.scores[rows].numpy(), self.indices[rows].numpy()
            return offer_rows(scores.numpy(), first, *lists)
        k = self.scores.shape[1]
        found = scores.topk(min(k, scores.shape[1]), dim=1)
        values = torch.cat([self.scores[rows], found.values], dim=1)
        indices = torch.cat([self.indices[rows], found.indices + first], dim=1)
        kept = values.topk(k, dim=1)
        self.scores[rows], self.indices[rows] = kept.values, indices.gather(1, kept.indices)
        return None

    def offer_columns(self, scores: Float[Tensor, "b c"], *, first: int, begin: int = 0, origin: int = 0) -> None:
        """Scores of the keys numbered from `first` on, one a row, with row `origin + j` of this in column j.

        Parameters
        ----------
        begin: the first column that counts.
        """
        if self.compiled:
            from relviz.core.neighbours.kernels import offer_columns

            lists = self.scores.numpy(), self.indices.numpy()
            return offer_columns(begin, scores.numpy(), first, *lists, origin)
        return self.offer(slice(origin + begin, origin + scores.shape[1]), scores[:, begin:].T, first=first)

    def settled(
        self, scores: Scores, k: int, *, ordered: bool = False, memory: int = settings.MEMORY
    ) -> Int[Tensor, "n k"]:
        """The k other keys with the highest scores of each query by the rule above; see `nearest_within`."""
        found, margin = self.indices[:, :k].clone(), (2 * scores.slack + scores.tie)[:, None]
        reached = self.scores[:, 0 if ordered else max(0, k - 2) : k + 1].double()
        rows = (~(reached[:, :-1] - reached[:, 1:] > margin)).any(1).nonzero().squeeze(1)
        if len(rows) == 0:
            return found
        among = self.indices[rows]
        exact = scores.pairs(rows.repeat_interleave(among.shape[1]), among.flatten(), memory).reshape(among.shape)
        found[rows] = ranked(exact, among, k, scores.tie[rows])
        if among.shape[1] == len(scores.b.x) - 1:
            return found
        # What is not among the candidates scores at most as much as their last.
        beyond = self.scores[rows, -1].double() + scores.slack[rows] + scores.constant
        open_ = rows[~(beyond < exact.topk(k).values[:, -1] - scores.tie[rows])]
        every = torch.arange(len(scores.b.x), device=rows.device)
        for some, block in scores.whole(open_, memory):
            block[torch.arange(len(some), device=rows.device), some] = -torch.inf
            found[some] = ranked(block, every, k, scores.tie[some])
        return found


def ranked(
    scores: Float[Tensor, "b c"], numbers: Int[Tensor, "*rows c"], k: int, tie: Float[Tensor, b]
) -> Int[Tensor, "b k"]:
    """Numbers of the k highest scores, highest first; of scores at most `tie` apart the lower number comes first.

    Raises nothing for k from 1 to c.

    >>> scores = torch.tensor([[2.0, 3.0, 3.01, 1.99]])
    >>> ranked(scores, torch.tensor([7, 5, 9, 4]), 3, torch.tensor([0.1])).tolist()
    [[5, 9, 4]]
    """
    tie, numbers, beyond = tie[:, None], numbers.expand(scores.shape), int(numbers.max()) + 1
    last = scores.topk(k).values[:, -1:]
    above = scores > last + tie  # fewer than k
    turn = torch.where(above, 1, torch.where(scores >= last - tie, -numbers, -beyond))
    chosen = turn.topk(k).indices
    values, order = scores.gather(1, chosen).sort(dim=1, descending=True)
    group = torch.nn.functional.pad((values[:, :-1] - values[:, 1:] > tie).cumsum(1), (1, 0))
    return (group * beyond + numbers.gather(1, chosen.gather(1, order))).sort(dim=1).values % beyond
