"""Angles to the anchors."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from relviz.core.projections import kernels
from relviz.core.projections.entry import CONFORMAL, PROJECTIONS, Projection
from relviz.core.projections.kernels import related


def cosine(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Cosine similarity of every sample to every anchor, in [-1, 1].

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` (both sides minus
    the anchors' mean) to translation as well. A zero vector has similarity 0 to everything.
    Source: 2209.15430, section 3; centring on the anchors as in latentis.

    Parameters
    ----------
    x: absolute vectors.
    anchors: absolute vectors of the anchors, in the same space.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> x = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> cosine(x, x).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    precise = not centred and kernels.crowded(anchors)
    return related(x, anchors, kernels.cosine, centred=centred, precise=precise)


PROJECTIONS["cosine"] = Projection(
    label="Cosine",
    function=cosine,
    summary="angle to each anchor, as similarity",
    source="2209.15430",
    invariances=CONFORMAL,
    low=-1.0,
    high=1.0,
    similarity=True,
)


def angular(x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False) -> Float[Tensor, "n k"]:
    """Angle between every sample and every anchor in units of pi, arccos(cosine) / pi, in [0, 1].

    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` to translation as
    well. A zero vector is at right angles to everything, 0.5. By way of float64, as near 0 and 1 single precision would
    leave about 1e-4. Source: latentis, `angular_proj`.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> angular(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])).tolist()
    [[0.0, 0.5, 1.0]]
    """
    return related(x, anchors, kernels.angular, centred=centred, precise=True)


PROJECTIONS["angular"] = Projection(
    label="Angular",
    function=angular,
    summary="angle to each anchor, in units of pi",
    source="latentis",
    invariances=CONFORMAL,
    low=0.0,
    high=1.0,
)


def standardised_cosine(
    x: Float[Tensor, "n d"], anchors: Float[Tensor, "k d"], *, centred: bool = False
) -> Float[Tensor, "n k"]:
    """Cosine similarities, each anchor's column standardised: minus its mean, divided by its standard deviation.

    The statistics of a column are those of its anchor's similarities to the other anchors (not to itself, which is
    always 1), so a coordinate depends on one sample and the anchors alone, never on the other samples. It takes out
    that some anchors lie near everything. A column that does not vary is only shifted. Values are finite, of any size.
    Invariant to rotation, reflection, permutation of features and isotropic scale; with `centred` to translation as
    well. Source: relviz, after the normalisation of columns common in cross-modal retrieval.

    Raises
    ------
    BadChoice: values that are not finite, no anchors, or unlike widths.

    >>> import torch
    >>> anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> standardised_cosine(anchors[:1], anchors).tolist()
    [[3.0, 0.0, -1.0]]
    """
    return related(x, anchors, kernels.standardised_cosine, centred=centred, precise=True)


PROJECTIONS["cosine-standardised"] = Projection(
    label="Cosine, standardised",
    function=standardised_cosine,
    summary="cosine, each anchor's column in its own standard deviations",
    source="relviz",
    invariances=CONFORMAL,
    low=None,
    high=None,
    similarity=True,
)
