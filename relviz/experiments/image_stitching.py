"""Image encoders of unlike architecture, stitched: beside the CIFAR-100 table of 2209.15430."""

from __future__ import annotations

from relviz.encoding.spaces import part
from relviz.experiments.cross_architecture import (
    ABSOLUTE,
    FRAMES,
    NATIVE,
    OWN_RELATIVE,
    PLAIN,
    claims,
    figure,
    measured,
)
from relviz.experiments.fields import cifar, fashion
from relviz.experiments.report import Published, Report, mean
from relviz.progress import Progress

# Weighted F1 in percent of the paper's coarse CIFAR-100 table: own absolute, own relative; unlike pairs likewise. Which
# side of its pairs is the encoder is not certain, so only means over both directions stand beside ours.
_OWN = ((82.06, 80.22), (93.15, 91.94), (91.41, 90.77), (90.07, 88.85))
_ABSOLUTE = (6.21, 4.69)
_RELATIVE = (54.98, 53.33, 59.82, 76.81, 81.42, 84.29, 79.79, 84.46, 84.66, 75.35, 81.23, 78.35)
PUBLISHED = {
    NATIVE: Published(mean(absolute for absolute, _ in _OWN) / 100, "S"),
    OWN_RELATIVE: Published(mean(relative for _, relative in _OWN) / 100, "S"),
    ABSOLUTE: Published(mean(_ABSOLUTE) / 100, "S"),
    PLAIN: Published(mean(_RELATIVE) / 100, "S"),
}

__all__ = ["claims", "run"]


def run(quick: bool, progress: Progress) -> Report:
    """Five ImageNet encoders on CIFAR-10, then the bundled classifiers of Fashion-MNIST."""
    rows = measured(cifar(quick=quick), quick, part(progress, 0.0, 0.4), PUBLISHED)
    if not quick:
        rows += measured(fashion(), quick, part(progress, 0.4, 1.0))
    return Report(
        rows=rows,
        claims=claims(rows),
        data=["CIFAR-10, 700 training and 700 test images"] + ([] if quick else [fashion().title]),
        differences=[
            "five small ImageNet networks on CIFAR-10 (10 classes, 700 training rows) instead of ViTs and RexNet on "
            "CIFAR-100 (20 coarse classes, 50,000 rows)",
            "300 anchors instead of 768, 3 seeds; ridge heads on layer-normalised cosines instead of trained networks",
            FRAMES,
            "published means are over all pairs of four networks; their absolute mean over the two pairs of one width, "
            "ours over all pairs, zero padded",
        ],
        figure=figure(rows),
    )
