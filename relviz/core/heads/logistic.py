"""Logistic regression as a head."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relviz.core.heads.entry import CLOUD, HEADS, HeadEntry
from relviz.core.heads.head import LinearHead, centre_and_scale, check_labels
from relviz.core.registry import Option
from relviz.errors import BadChoice


def fit_logistic(
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "m"],
    *,
    classes: int,
    penalty: float = 1e-3,
    steps: int = 100,
    tolerance: float = 1e-5,
) -> LinearHead:
    """Multinomial logistic regression by L-BFGS from zero: the reported head of absolute and relative spaces.

    Minimises mean cross-entropy + penalty / 2 |W|^2 (the bias is free) over inputs that are centred and divided by one
    scalar, the root mean square of all entries, so that it means the same at any scale and rotation. It is
    scikit-learn's LogisticRegression with C = 1 / (n penalty) on such inputs. Scores are logits.
    Source: Cox 1958.

    Parameters
    ----------
    x: vectors the head will read.
    labels: classes 0 to `classes` - 1.
    penalty: 0 or more.
    steps: of L-BFGS at most, 1 or more; fewer also regularise.
    tolerance: stops when no entry of the gradient is larger, above 0.

    Raises
    ------
    BadChoice: no rows, values that are not finite, or labels, penalty, steps or tolerance out of range.

    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> fit_logistic(x, torch.tensor([0, 0, 1, 1]), classes=2).accuracy(x, torch.tensor([0, 0, 1, 1]))
    1.0
    """
    check_labels(labels, rows=len(x), classes=classes)
    if not (0 <= penalty < float("inf") and steps >= 1 and 0 < tolerance < float("inf")):
        raise BadChoice(f"Penalty {penalty}, {steps} steps, tolerance {tolerance} cannot be fitted.", "See the ranges.")
    rows, mean, unit = centre_and_scale(x)
    spread = float(rows.square().mean(dtype=torch.float64).sqrt()) or 1.0
    found = _minimise(rows / spread, labels.long(), classes, penalty, steps, tolerance).double()
    weight = found[:-1] / spread / unit
    return LinearHead(weight, found[-1] - mean @ weight)


HEADS["logistic"] = HeadEntry(
    label="Logistic",
    function=fit_logistic,
    summary="multinomial logistic regression",
    source="Cox 1958",
    invariances=CLOUD,
    options=(
        Option("penalty", 1e-3, "of the squared weights", low=0.0, high=10.0),
        Option("steps", 100, "of the search at most", low=1.0, high=1000.0),
    ),
)


def _minimise(rows: Tensor, labels: Tensor, classes: int, penalty: float, steps: int, tolerance: float) -> Tensor:
    """Weights and, last, the bias, `(d + 1) x c`; the gradient in closed form, which needs one product less."""
    with torch.inference_mode(False), torch.no_grad():
        variables = torch.zeros(rows.shape[1] + 1, classes, dtype=rows.dtype, device=rows.device)
        search = torch.optim.LBFGS([variables], 1, steps, None, tolerance, tolerance**2, line_search_fn="strong_wolfe")
        index = labels[:, None]

        def loss() -> Tensor:
            logs = torch.log_softmax(torch.addmm(variables[-1], rows, variables[:-1]), dim=1)
            value = penalty / 2 * variables[:-1].square().sum() - logs.gather(1, index).mean(dtype=torch.float64)
            excess = logs.exp_().scatter_add_(1, index, torch.full_like(logs[:, :1], -1)) / len(rows)
            variables.grad = torch.cat([rows.T @ excess + penalty * variables[:-1], excess.sum(0, keepdim=True)])
            return value

        search.step(loss)
        return variables
