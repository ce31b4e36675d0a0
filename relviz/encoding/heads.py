"""Which head reads a model's vectors for a data set, in which order its classes come, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from relviz import settings
from relviz.core.class_order import best_order, common_orders, matched_share, order_by_names, reorder
from relviz.core.heads import LinearHead
from relviz.core.heads.logistic import fit_logistic
from relviz.data.dataset import DataSet
from relviz.encoding.memory import Kept
from relviz.models.model import FITTED, OWN, Model

_NAME_THEM = "name them, in the head's order, with --classes"


@dataclass(frozen=True)
class ChosenHead:
    """What reads a model's vectors.

    Attributes
    ----------
    head: None for a model that decodes, or where there are no labels to fit one on.
    words: where it comes from: "its own", "fitted on the gallery" or "none".
    notes: whole sentences on what is assumed about it, or looks wrong.
    """

    head: LinearHead | None
    words: str
    notes: tuple[str, ...] = ()


# By what decides a head and its notes: fingerprints say nothing of names.
_chosen: Kept[tuple[object, ...], ChosenHead] = Kept(
    settings.SPACE_BYTES // 8, lambda chosen: chosen.head.weight.nbytes if chosen.head else 0
)


def choose_head(model: Model, data: DataSet, gallery: Tensor) -> ChosenHead:
    """The model's own head where it tells the data's classes apart, else a logistic one fitted on the gallery.

    An own head that does not name its classes may number them as another loader does: of the common orders the one
    stands in that the gallery's labels clearly speak for.

    Parameters
    ----------
    gallery: the model's vectors of the gallery, `m x d`.

    Raises
    ------
    BadChoice: the data have no labels, which a head is chosen by.
    """
    key = (model.name, model.identity, data.identity)
    chosen = _chosen.get(key)
    if chosen is None:
        chosen = _choose(model, data, gallery)
        _chosen[key] = chosen
    return chosen


def head_notes(model: Model, data: DataSet, gallery: Tensor) -> tuple[str, ...]:
    """The notes of `choose_head`, without fitting a head only to say that it would be fitted."""
    if _own(model, data) is None:
        return () if model.decodes else (_why_fitted(model),)
    return choose_head(model, data, gallery).notes


def _choose(model: Model, data: DataSet, gallery: Tensor) -> ChosenHead:
    own = _own(model, data)
    if own is None and model.decodes:
        return ChosenHead(None, "none")
    labels = data.label_tensor()[data.gallery]
    if own is None:
        return ChosenHead(_fit(gallery, labels, data), FITTED, (_why_fitted(model),))
    if model.classes:
        return own
    return _with_order(own, model, data, gallery, labels)


def _own(model: Model, data: DataSet) -> ChosenHead | None:
    """The own head, its classes in the data's order by their names where it has them."""
    head, count = model.head, len(data.class_names)
    if head is None or head.weight.shape[1] != count:
        return None
    order = order_by_names(model.classes, data.class_names) if model.classes else tuple(range(count))
    return None if order is None else ChosenHead(reorder(head, order), OWN)


def _why_fitted(model: Model) -> str:
    if model.head is None:
        why = f"'{model.name}' has no head of its own"
    else:
        why = f"The head of '{model.name}' tells other classes apart than the data have"
    return f"{why}, so a logistic head fitted on the gallery stands in for it."


def _with_order(own: ChosenHead, model: Model, data: DataSet, gallery: Tensor, labels: Tensor) -> ChosenHead:
    if own.head is None:
        return own
    scores = own.head.scores(gallery)
    orders = common_orders(data.class_names, labels)
    words, shares = best_order(scores, labels, orders)
    given = next(iter(shares.values()))
    if shares[words] > given:
        told = (
            f"The head of '{model.name}' does not name its classes, which are taken to be {words}: so it is right on "
            f"{shares[words]:.3f} of the gallery, and on {given:.3f} in the data's own order. If that is wrong, "
        )
        return replace(own, head=reorder(own.head, orders[words]), notes=(f"{told}{_NAME_THEM}.",))
    doubt = _doubt(model, data, scores, gallery, labels, given)
    return replace(own, notes=(doubt,) if doubt else ())


def _doubt(model: Model, data: DataSet, scores: Tensor, gallery: Tensor, labels: Tensor, share: float) -> str | None:
    """Why an own head cannot be what it claims, as far as the gallery tells."""
    error = 1 / len(labels) ** 0.5  # two standard errors of a share, at most
    matched = matched_share(scores, labels)
    if matched > share + 4 * error:
        return (
            f"The head of '{model.name}' is right on {share:.3f} of the gallery, and on {matched:.3f} once its classes "
            f"are matched to the labels: they seem to come in another order; {_NAME_THEM}."
        )
    chance = float(labels.bincount().max()) / len(labels)
    if share > chance + 2 * error:
        return None
    fitted = _held_out_share(gallery, labels, data)
    if fitted <= chance + 4 * error:
        return None
    return (
        f"The head of '{model.name}' is right on {share:.3f} of the gallery, which is chance ({chance:.3f}), where one "
        f"fitted there reaches {fitted:.3f}: the order of its classes, its latent node or its preprocessing is not "
        "what it was trained with."
    )


def _held_out_share(gallery: Tensor, labels: Tensor, data: DataSet) -> float:
    """Accuracy on one half of the gallery of a head fitted on the other."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    return _fit(gallery[fit], labels[fit], data).accuracy(gallery[test], labels[test])


def _fit(gallery: Tensor, labels: Tensor, data: DataSet) -> LinearHead:
    return fit_logistic(gallery, labels, classes=len(data.class_names))
