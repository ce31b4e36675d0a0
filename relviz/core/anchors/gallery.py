"""What anchors are chosen from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.neighbours import unit_rows
from relviz.core.values import checked
from relviz.errors import BadChoice


@dataclass(frozen=True)
class Gallery:
    """What is known of the n samples that anchors are chosen from; None where it is not known.

    Attributes
    ----------
    labels: classes.
    vectors: absolute vectors, `n x d`.
    frequencies: how often each sample occurs, such as a word in its corpus.
    """

    labels: Int[Tensor, "n"] | None = None
    vectors: Float[Tensor, "m d"] | None = None
    frequencies: Float[Tensor, "l"] | Int[Tensor, "l"] | None = None

    @property
    def known(self) -> frozenset[str]:
        """Names of the attributes that are given."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)

    def __len__(self) -> int:
        return max((len(getattr(self, name)) for name in self.known), default=0)


def check_gallery(gallery: Gallery) -> None:
    """Refuses unlike numbers of rows.

    Raises
    ------
    BadChoice: labels, vectors and frequencies are not of equally many samples.

    >>> check_gallery(Gallery(torch.zeros(2, dtype=torch.int64), torch.ones(2, 3)))
    """
    sizes = {name: len(getattr(gallery, name)) for name in sorted(gallery.known)}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} {name}" for name, size in sizes.items())
        raise BadChoice(f"The gallery has unlike numbers of rows: {told}.", "Give one of each for every sample.")


def needed(gallery: Gallery, what: str) -> Tensor:
    """An attribute of the gallery that must be there and finite; vectors are `n x d`, others have n numbers.

    Raises
    ------
    BadChoice: it is not there, or not finite.

    >>> needed(Gallery(torch.tensor([0, 1])), "labels").tolist()
    [0, 1]
    """
    values: Tensor | None = getattr(gallery, what)
    if values is None:
        raise BadChoice(f"This anchor strategy needs {what} of the gallery, and there are none.", "Choose another one.")
    if values.is_floating_point():
        checked(values, what)
    return values.detach()


def unit_vectors(gallery: Gallery) -> Tensor:
    """The gallery's vectors, `n x d`, at length one; first at largest value one, since squares of huge values overflow.

    Raises
    ------
    BadChoice: there are no vectors, or they are not finite.

    >>> unit_vectors(Gallery(vectors=torch.tensor([[0.0, 2.0]]))).tolist()
    [[0.0, 1.0]]
    """
    x = needed(gallery, "vectors")
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    return unit_rows(x / x.abs().amax(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny))
