"""Every way of communication on spaces whose answer is known: a model and its rotated twin."""

from dataclasses import replace

import pytest
import torch
from sklearn.metrics import f1_score
from torch import Tensor

from relviz.core.fitting import unwatched
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.stitching import (
    METHODS,
    NotApplicable,
    Side,
    Stitched,
    chance_f1,
    stitch_all,
    stitched_scores,
    weighted_f1,
)
from relviz.core.translations import translate
from relviz.core.translations.inverse import translate_by_inverse

CLASSES, GALLERY, HELD_OUT, WIDTH = 5, 800, 400, 24
OF_FEATURES = {"relative-l1", "relative-linf"}  # not invariant to a rotation


def world() -> tuple[Tensor, Tensor]:
    """Vectors of five classes, and their labels."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(CLASSES, (GALLERY + HELD_OUT,), generator=g)
    centres = 2 * torch.randn(CLASSES, WIDTH, generator=g)
    return centres[labels] + torch.randn(len(labels), WIDTH, generator=g), labels


def side(name: str, space: Tensor, labels: Tensor, *, anchors: int = 60) -> Side:
    gallery, held_out = space.split([GALLERY, HELD_OUT])
    head = fit_ridge(gallery, labels[:GALLERY], classes=CLASSES)
    return Side(name, gallery, held_out, torch.arange(anchors), head)


def pair(*, anchors: int = 60, width: int = WIDTH) -> tuple[Side, Side, Tensor]:
    """A model and its rotated, scaled twin of `width` features or more."""
    x, labels = world()
    g = torch.Generator().manual_seed(1)
    rotation = torch.linalg.qr(torch.randn(width, width, generator=g)).Q[:, :WIDTH]
    return side("a", x, labels, anchors=anchors), side("twin", 1.7 * x @ rotation.T, labels, anchors=anchors), labels


def stitched(method: str, encoder: Side, head: Side, labels: Tensor) -> Stitched:
    (found,) = stitch_all(METHODS[method], [encoder], head, gallery_labels=labels[:GALLERY], labels=labels[GALLERY:])
    return found


@pytest.mark.parametrize("method", [name for name, entry in METHODS.items() if entry.exact])
def test_a_model_with_itself_gives_its_native_accuracy_exactly(method: str) -> None:
    own, _, labels = pair()
    found = stitched(method, own, own, labels)
    assert found.accuracy == found.native is not None
    assert found.f1 == found.native_f1


@pytest.mark.parametrize("method", METHODS)
def test_a_rotated_twin_is_read_by_every_method_but_the_baselines(method: str) -> None:
    own, twin, labels = pair()
    found = stitched(method, own, twin, labels)
    assert found.accuracy is not None and found.native is not None
    if method in ("absolute", "absolute-padded", "control"):
        assert found.accuracy < 0.5
    elif method not in OF_FEATURES:
        assert found.accuracy > found.native - (0.1 if "product" in method else 0.02)  # products hold L1 and L-infinity


FRAMED = [name for name, entry in METHODS.items() if entry.family in ("translation", "inverse")]
IN_PAPERS_FRAME = [name for name in FRAMED if name.endswith("-standard")]


@pytest.mark.parametrize("method", FRAMED)
def test_every_translation_tells_its_frame_in_its_own_line(method: str) -> None:
    told = METHODS[method].summary.partition("; ")[2]
    wanted = {"linear": "as they are", "affine-gradient": "standardised"}.get(method, "centred")
    assert ("standardised" if method in IN_PAPERS_FRAME else wanted) in told


def test_the_papers_estimators_are_there_in_their_own_frame() -> None:
    assert IN_PAPERS_FRAME == ["linear-standard", "l-ortho-standard", "ortho-rigid-standard", "inverse-standard"]
    assert len({METHODS[name].label for name in METHODS}) == len(METHODS)


@pytest.mark.parametrize("method", IN_PAPERS_FRAME)
@pytest.mark.parametrize("anchors", [15, 60])
def test_a_method_in_the_papers_frame_is_that_translation(method: str, anchors: int) -> None:
    own, twin, _ = pair(anchors=anchors)
    name, between = method.removesuffix("-standard"), (own.anchor_vectors, twin.anchor_vectors)
    if name == "inverse":
        translation = translate_by_inverse(*between, normalise="standard")
    else:
        translation = translate(*between, name=name, normalise="standard")
    carried = METHODS[method].function(own, twin, False)
    assert torch.equal(carried, translation(own.held_out))
    assert not torch.allclose(carried, METHODS[name].function(own, twin, False))


@pytest.mark.parametrize("seed", range(3))
def test_features_on_scales_of_their_own_are_read_in_the_papers_frame_and_not_in_the_centred_one(seed: int) -> None:
    own, _, labels = pair()
    scales = 10 ** torch.empty(WIDTH).uniform_(-3, 3, generator=torch.Generator().manual_seed(seed))
    uneven = replace(own, gallery=scales * own.gallery, held_out=scales * own.held_out)
    for name in ("ortho-rigid", "l-ortho"):
        centred, standard = (stitched(each, uneven, own, labels).accuracy for each in (name, f"{name}-standard"))
        assert centred is not None and standard is not None
        assert centred < standard - 0.02 > 0.9, name


def test_zero_padding_lets_a_head_of_another_width_read_and_absolute_says_why_not() -> None:
    own, wide, labels = pair(width=WIDTH + 7)
    assert stitched("absolute-padded", own, wide, labels).accuracy is not None
    assert stitched("absolute-padded", wide, own, labels).accuracy is not None
    assert "widths differ" in str(stitched("absolute", own, wide, labels).undefined)


@pytest.mark.parametrize("what", ["blending", "head"])
def test_tuning_changes_only_the_stitched_side(what: str) -> None:
    own, twin, labels = pair()
    plain = stitched("product-attention", own, twin, labels)
    tuned = stitched(f"product-attention-{what}", own, twin, labels)
    assert tuned.native == plain.native
    spaces = METHODS["product-attention"].function(own, twin, False)
    reader = METHODS["product-attention"].head(twin, labels[:GALLERY], CLASSES, False, unwatched)
    adapt = METHODS[f"product-attention-{what}"].tuned
    assert adapt is not None
    after = adapt(reader, own, labels[:GALLERY], False).scores(spaces)
    assert not torch.equal(after, reader.scores(spaces))


def test_scores_are_those_that_the_accuracies_come_from() -> None:
    own, twin, labels = pair()
    of_gallery, held_out = labels.split([GALLERY, HELD_OUT])
    for method in (METHODS["ortho"], METHODS["relative-cosine"]):
        native, foreign, seen = stitched_scores(method, own, twin, gallery_labels=of_gallery, labels=held_out)
        (found,) = stitch_all(method, [own], twin, gallery_labels=of_gallery, labels=held_out)
        shares = [float((scores.argmax(1) == held_out).double().mean()) for scores in (native, foreign)]
        assert shares == [found.native, found.accuracy]
        there = replace(twin, held_out=twin.gallery)  # its gallery rows, projected anew
        anew = stitched_scores(method, there, there, gallery_labels=of_gallery, labels=of_gallery)
        torch.testing.assert_close(seen, anew[0])


def test_scores_of_a_pair_that_cannot_be_stitched_are_refused() -> None:
    own, wide, labels = pair(width=WIDTH + 7)
    with pytest.raises(NotApplicable, match="widths differ"):
        stitched_scores(METHODS["absolute"], own, wide, gallery_labels=labels[:GALLERY], labels=labels[GALLERY:])


def test_weighted_f1_is_that_of_scikit_learn() -> None:
    g = torch.Generator().manual_seed(2)
    for classes in (1, 2, 7):
        predicted, labels = torch.randint(classes, (2, 100), generator=g)
        assert weighted_f1(predicted, labels) == pytest.approx(f1_score(labels, predicted, average="weighted"))


@pytest.mark.parametrize("classes", [2, 5])
def test_chance_f1_is_that_of_scikit_learn(classes: int) -> None:
    labels = torch.arange(classes + 1).clamp_max(classes - 1)  # two samples of the last class
    named = torch.full_like(labels, classes - 1)
    expected = f1_score(labels, named, average="weighted", zero_division=0)
    assert chance_f1(2 / len(labels)) == pytest.approx(expected)


def test_a_controls_shuffled_reader_reads_as_if_projected_to_shuffled_anchors() -> None:
    own, twin, labels = pair()
    control, relative = METHODS["control"], METHODS["relative-cosine"]
    reader = relative.head(twin, labels[:GALLERY], CLASSES, False, unwatched)
    assert control.shuffled is not None
    found = control.shuffled(reader, torch.Generator().manual_seed(3)).scores(control.function(own, twin, False))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3)).argsort()
    anew = replace(own, anchors=own.anchors[order])
    torch.testing.assert_close(found, reader.scores(relative.function(anew, twin, False)))


@pytest.mark.parametrize("anchors", [3, 20, 60])
def test_a_control_is_the_mean_of_enough_shuffles_with_their_band(anchors: int) -> None:
    own, twin, labels = pair(anchors=anchors)
    found = stitched("control", own, twin, labels)
    shuffles = [
        stitched("relative-cosine", replace(own, anchors=own.anchors[order]), twin, labels)
        for order in (torch.randperm(anchors, generator=torch.Generator().manual_seed(seed)) for seed in range(300))
    ]
    for mean, band, values in (
        (found.accuracy, found.spread, [one.accuracy for one in shuffles]),
        (found.f1, found.spread_f1, [one.f1 for one in shuffles]),
    ):
        others = torch.tensor(values, dtype=torch.float64)
        assert mean is not None and band is not None
        assert abs(mean - float(others.mean())) < 4 * (0.01**2 + float(others.var()) / 300) ** 0.5
        inside = ((others >= band[0]) & (others <= band[1])).double().mean()
        assert 0.85 < float(inside) <= 1
    assert stitched("relative-cosine", own, twin, labels).spread is None


def test_a_controls_mean_is_surer_than_one_in_a_hundred_whatever_the_anchors() -> None:
    own, twin, labels = pair()
    sets = [torch.randperm(GALLERY, generator=torch.Generator().manual_seed(seed))[:60] for seed in range(12)]
    means = [stitched("control", replace(own, anchors=a), replace(twin, anchors=a), labels).accuracy for a in sets]
    assert float(torch.tensor(means, dtype=torch.float64).std()) < 0.03  # of one shuffle each about 0.1


def test_shuffled_anchors_are_the_same_anchors_in_another_order() -> None:
    own, _, _ = pair()
    shuffled = own.with_shuffled_anchors().anchors
    assert not torch.equal(shuffled, own.anchors)
    assert torch.equal(shuffled.sort().values, own.anchors.sort().values)
