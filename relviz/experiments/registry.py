"""The experiments by name. A new one is one module with a `run` and one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from relviz.errors import UnknownName
from relviz.experiments.report import Report
from relviz.progress import Progress

Run = Callable[[bool, Progress], Report]


@dataclass(frozen=True)
class Experiment:
    """One recipe.

    Attributes
    ----------
    name: what `relviz reproduce` calls it.
    paper: arXiv number.
    shows: what it is about, in one sentence.
    needs: the data, beyond what comes with relviz.
    module: of this package, with a function `run(quick, progress)`.
    """

    name: str
    title: str
    paper: str
    shows: str
    needs: str
    module: str

    def run(self, quick: bool, progress: Progress) -> Report:
        """The report, computed here and now.

        Raises
        ------
        MissingData: its data is not on this machine.
        """
        return cast(Run, import_module(f"relviz.experiments.{self.module}").run)(quick, progress)


_BUNDLED = "nothing else"
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "rotation-noise",
            "Rotation plus noise",
            "2209.15430",
            "A rotated and slightly noisy copy of a space is far away, its relative coordinates are not.",
            _BUNDLED,
            "rotation_noise",
        ),
        Experiment(
            "translation-estimators",
            "Translation estimators compared",
            "2311.00664",
            "With few anchors, an orthogonal map carries over better than least squares.",
            "the CIFAR-10 and TREC embeddings where they are there",
            "translation_estimators",
        ),
        Experiment(
            "anchor-count",
            "Number of anchors and how they are chosen",
            "2209.15430",
            "Stitched accuracy rises fast with the number of anchors; spread ones need fewer.",
            "the CIFAR-10 embeddings where they are there",
            "anchor_count",
        ),
        Experiment(
            "projections",
            "Which invariance links two models",
            "2310.01211",
            "No single projection is best for every pair; a product of several should be near the best of each.",
            "the CIFAR-10 and TREC embeddings where they are there",
            "projections",
        ),
        Experiment(
            "inverse-projection",
            "Inverse relative projection: pruning and ensembles",
            "2406.15057",
            "Anchors far from each other make the inverse calm; an average over subsets wins accuracy back.",
            _BUNDLED,
            "inverse_projection",
        ),
        Experiment(
            "scale",
            "Scale invariance of heads",
            "2406.15057",
            "Heads hardly notice when latent vectors are multiplied by a factor; decoders of images do.",
            _BUNDLED,
            "scale",
        ),
        Experiment(
            "words",
            "Word embeddings",
            "2209.15430",
            "Two word embeddings find each other's words through anchors, by any strategy of choosing them.",
            "the word vectors of embeddings/words5000.npz",
            "words",
        ),
        Experiment(
            "image-stitching",
            "Image encoders of unlike architecture",
            "2209.15430",
            "A head trained on one image encoder reads another through anchors.",
            "the CIFAR-10 embeddings of embeddings/cifar10_imagenet_encoders.npz",
            "image_stitching",
        ),
        Experiment(
            "text-stitching",
            "Text encoders of unlike architecture",
            "2209.15430",
            "A head trained on one text encoder reads another through anchors.",
            "the TREC embeddings of embeddings/trec_text_encoders.npz",
            "text_stitching",
        ),
        Experiment(
            "blending",
            "Blending tuned against head tuned",
            "2310.01211",
            "A few labelled rows of the foreign encoder tune either the attention's blending or the head.",
            "the TREC embeddings where they are there",
            "blending",
        ),
        Experiment(
            "autoencoders",
            "Autoencoders stitched",
            "2209.15430",
            "A decoder draws another autoencoder's relative vectors, and cannot draw its absolute ones.",
            _BUNDLED,
            "autoencoders",
        ),
        Experiment(
            "cora-proxy",
            "Similarity as a proxy of performance on Cora",
            "2209.15430",
            "The more a graph network's relative space is like a good one's, the better it classifies.",
            "Cora",
            "cora_proxy",
        ),
    )
}


def experiment_of(name: str) -> Experiment:
    """An experiment by name.

    Raises
    ------
    UnknownName: there is none.
    """
    if name not in EXPERIMENTS:
        raise UnknownName("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
