"""In which order a head numbers the classes: the orders of common loaders, and what labelled rows say about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads import LinearHead

Order = tuple[int, ...]  # the data's class at each place of the head's scores

GIVEN = "as the data has them"


def common_orders(names: Sequence[str], labels: Int[Tensor, "n"]) -> dict[str, Order]:
    """The unlike orders in which common loaders number these classes, in words; the data's own comes first.

    Folders and label encoders sort names as words (so 10 comes before 2), some without regard to capitals, others by
    the numbers in them; `pandas.factorize` counts classes as they come.

    Parameters
    ----------
    names: of the data's classes 0 to c-1.
    labels: of rows in the order of the source, from which the order of coming is read.

    Raises nothing.

    >>> common_orders(["1", "2", "10"], torch.tensor([0, 1, 2]))
    {'as the data has them': (0, 1, 2), 'sorted as words': (0, 2, 1)}
    """
    classes = range(len(names))
    coming = list(dict.fromkeys(labels.tolist()))
    orders = {
        GIVEN: tuple(classes),
        "sorted as words": tuple(sorted(classes, key=lambda i: names[i])),
        "sorted as words, capitals and small letters alike": tuple(sorted(classes, key=lambda i: names[i].casefold())),
        "sorted by the numbers in them": tuple(sorted(classes, key=lambda i: _natural(names[i]))),
        "in the order in which they come": (*coming, *(i for i in classes if i not in coming)),
    }
    unlike: dict[Order, str] = {}
    for words, order in orders.items():
        unlike.setdefault(order, words)
    return {words: order for order, words in unlike.items()}


def reorder(head: LinearHead, order: Order) -> LinearHead:
    """The head with its scores in the data's order of classes.

    Parameters
    ----------
    order: the data's class at each place of the head's scores, every class once.

    Raises nothing for an order that names every class once.

    >>> head = LinearHead(torch.eye(3), torch.arange(3.0))
    >>> reorder(head, (2, 0, 1)).bias.tolist()
    [1.0, 2.0, 0.0]
    """
    places = torch.tensor(order, device=head.weight.device).argsort()
    return LinearHead(head.weight[:, places], head.bias[places])


def order_by_names(own: Sequence[str], names: Sequence[str]) -> Order | None:
    """The order of a head whose classes have names of their own; None where these are not the data's.

    Capitals, underscores and blanks at the ends make no difference.

    Raises nothing.

    >>> order_by_names(["dog", "Cat "], ["cat", "dog"])
    (1, 0)
    """
    alike = [[name.strip().casefold().replace("_", " ") for name in side] for side in (own, names)]
    if len(set(alike[0])) != len(own) or sorted(alike[0]) != sorted(alike[1]):
        return None
    return tuple(alike[1].index(name) for name in alike[0])


def best_order(
    scores: Float[Tensor, "n c"], labels: Int[Tensor, "n"], orders: Mapping[str, Order]
) -> tuple[str, dict[str, float]]:
    """Words of the order that labelled rows speak for, and the accuracy in [0, 1] by every order.

    The first order stays unless another is right more often by 2 / sqrt(n), four standard errors at least.

    Raises nothing for one order and one row or more.

    >>> found, shares = best_order(torch.eye(2).repeat(20, 1), torch.tensor([1, 0] * 20), {"a": (0, 1), "b": (1, 0)})
    >>> found, shares
    ('b', {'a': 0.0, 'b': 1.0})
    """
    predicted = scores.argmax(1)
    shares = {
        words: _share(torch.tensor(order, device=labels.device)[predicted], labels) for words, order in orders.items()
    }
    first, best = next(iter(shares)), max(shares, key=lambda words: shares[words])
    return (best if shares[best] > shares[first] + 2 / len(labels) ** 0.5 else first), shares


def matched_share(scores: Float[Tensor, "n c"], labels: Int[Tensor, "n"], *, seed: int = 0) -> float:
    """Accuracy in [0, 1] on one half of the rows once each score stands for the class that fits it best on the other.

    The best matching of scores and classes is that of the Hungarian method (Kuhn 1955).

    Parameters
    ----------
    labels: classes 0 to c-1 of at least two rows.
    seed: of the division.

    Raises nothing for two rows or more.

    >>> matched_share(torch.eye(3).roll(1, 1).repeat(20, 1), torch.tensor([0, 1, 2] * 20))
    1.0
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped, unused-ignore]

    classes, predicted = scores.shape[1], scores.argmax(1).cpu()
    order = torch.randperm(len(predicted), generator=torch.Generator().manual_seed(seed))
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    counts = torch.zeros(classes, classes)
    counts.index_put_((predicted[fit], labels.cpu()[fit]), torch.ones(len(fit)), accumulate=True)
    matching = torch.from_numpy(linear_sum_assignment(counts.numpy(), maximize=True)[1])
    return _share(matching[predicted[test]], labels.cpu()[test])


def _share(predicted: Tensor, labels: Tensor) -> float:
    return float((predicted == labels).double().mean())


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]
