"""Confusions, reliability and temperature beside scikit-learn and values found by hand."""

import math

import pytest
import torch
from sklearn.metrics import confusion_matrix, log_loss
from torch import Tensor

from relviz.core.stitching.breakage import class_accuracy, confused_pairs, confusion, fit_temperature, reliability
from relviz.errors import BadChoice


@pytest.mark.parametrize("classes", [2, 7])
def test_confusion_is_that_of_scikit_learn(classes: int) -> None:
    predicted, labels = torch.randint(classes, (2, 200), generator=torch.Generator().manual_seed(0))
    expected = confusion_matrix(labels, predicted, labels=list(range(classes)))
    assert confusion(predicted, labels, classes=classes).tolist() == expected.tolist()


def test_classes_without_samples_have_rows_of_zeros_and_no_accuracy() -> None:
    counts = confusion(torch.tensor([2, 2]), torch.tensor([0, 2]), classes=4)
    assert counts.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    accuracy = class_accuracy(counts).tolist()
    assert accuracy[0] == 0 and accuracy[2] == 1 and math.isnan(accuracy[1]) and math.isnan(accuracy[3])


@pytest.mark.parametrize(("predicted", "labels"), [([0], [0, 1]), ([3], [0]), ([0], [3]), ([-1], [0])])
def test_classes_out_of_range_are_refused(predicted: list[int], labels: list[int]) -> None:
    with pytest.raises(BadChoice):
        confusion(torch.tensor(predicted), torch.tensor(labels), classes=3)


def test_confused_pairs_come_by_frequency_and_leave_the_right_ones_out() -> None:
    counts = torch.tensor([[90, 1, 7], [0, 80, 0], [7, 2, 70]])
    assert confused_pairs(counts, most=3) == [(0, 2, 7), (2, 0, 7), (2, 1, 2)]
    assert confused_pairs(counts, most=99) == [(0, 2, 7), (2, 0, 7), (2, 1, 2), (0, 1, 1)]
    assert confused_pairs(torch.eye(3, dtype=torch.int64), most=3) == []


def test_the_expected_calibration_error_is_the_one_found_by_hand() -> None:
    # Bins of a fifth: (0.4, 0.6] holds 0.5 and 0.6, one of them right, |1/2 - 0.55|; (0.8, 1] holds 0.9, 1 and 1, two
    # of them right, |2/3 - 2.9/3|. Weighted: (2 * 0.05 + 3 * 0.3) / 5 = 0.2.
    sure = torch.tensor([0.5, 0.6, 0.9, 1.0, 1.0], dtype=torch.float64)
    found = reliability(sure, torch.tensor([True, False, True, True, False]), bins=5)
    assert found.error == pytest.approx(0.2)
    assert found.counts.tolist() == [0, 0, 2, 0, 3]
    assert float(found.confidence[4]) == pytest.approx(2.9 / 3)
    assert float(found.accuracy[4]) == pytest.approx(2 / 3)


def test_what_is_as_often_right_as_it_is_sure_has_no_error() -> None:
    sure = torch.tensor([0.75] * 4 + [0.0] * 2)
    right = torch.tensor([True, True, True, False, False, False])
    assert reliability(sure, right).error == 0.0


@pytest.mark.parametrize("sure", [[1.5], [-0.1], [float("nan")], []])
def test_what_is_no_confidence_is_refused(sure: list[float]) -> None:
    with pytest.raises(BadChoice):
        reliability(torch.tensor(sure), torch.ones(len(sure), dtype=torch.bool))


def drawn(scale: float) -> tuple[Tensor, Tensor]:
    """Scores, and labels drawn from their softmax at a temperature."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 4, generator=g, dtype=torch.float64) * 2
    return scale * x, torch.multinomial(x.softmax(1), 1, generator=g).squeeze(1)


@pytest.mark.parametrize("scale", [1e-6, 0.5, 3.0, 1e6])
def test_the_temperature_that_labels_were_drawn_at_is_found_at_any_scale(scale: float) -> None:
    assert fit_temperature(*drawn(scale)) == pytest.approx(scale, rel=0.03)


def test_no_other_temperature_is_likelier() -> None:
    scores, labels = drawn(3.0)
    best = fit_temperature(scores, labels)
    losses = [log_loss(labels, (scores / (best * factor)).softmax(1)) for factor in (0.98, 1.0, 1.02)]
    assert losses[1] == min(losses)


def test_a_fitted_temperature_calibrates() -> None:
    scores, labels = drawn(3.0)
    errors = []
    for temperature in (1.0, fit_temperature(scores, labels)):
        sure, predicted = (scores / temperature).softmax(1).max(1)
        errors.append(reliability(sure, predicted == labels).error)
    assert errors[0] > 0.15 and errors[1] < 0.02


@pytest.mark.parametrize("labels", [[1, 0, 0], [0, 1, 1]])
@pytest.mark.parametrize("scores", [[[0.0, 0.0]] * 3, [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]])
def test_temperatures_without_a_best_one_are_still_numbers(scores: list[list[float]], labels: list[int]) -> None:
    x = torch.tensor(scores)
    found = fit_temperature(x, torch.tensor(labels))
    assert 0 < found < math.inf
    assert bool(torch.isfinite((x.double() / found).softmax(1)).all())


@pytest.mark.parametrize(("rows", "labels"), [(0, []), (2, [0]), (1, [2])])
def test_rows_and_labels_must_fit(rows: int, labels: list[int]) -> None:
    with pytest.raises(BadChoice):
        fit_temperature(torch.zeros(rows, 2), torch.tensor(labels, dtype=torch.int64))
