"""Training of relviz's own networks: tensors in, trained network out. No files, no names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from relviz.data.dataset import Graph
from relviz.models.architectures import AUTOENCODERS, Autoencoder, Classifier, Relative, build
from relviz.models.course import Course, Keeper
from relviz.models.graph_networks import GRAPH_NETWORKS, GraphNetwork
from relviz.models.graph_reading import tensors
from relviz.progress import Progress

Network: TypeAlias = Classifier | Autoencoder | GraphNetwork
_TRAIN, _VALIDATION = 0, 1  # codes of `Graph.parts`


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a trained network, apart from the data's bytes.

    Attributes
    ----------
    anchors: of a relative layer; the first training images, the same for every seed. 0: there is no such layer.
    layers, dropout: of graph networks.
    patience: epochs without a better validation accuracy after which to stop; 0 where there is no validation part.
    """

    name: str
    architecture: str
    width: int
    data: str
    seed: int
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    batch: int = 128
    augment: bool = False
    anchors: int = 0
    layers: int = 2
    dropout: float = 0.0
    patience: int = 0

    @property
    def latent(self) -> int:
        """Latent width: that of the encoder, or of its relative coordinates."""
        return self.anchors or self.width

    @property
    def reads_graphs(self) -> bool:
        """Whether it is a graph network."""
        return self.architecture in GRAPH_NETWORKS

    @property
    def reconstructs(self) -> bool:
        """Whether the network is an autoencoder."""
        return self.architecture in AUTOENCODERS


def network_of(recipe: Recipe, *, inputs: int, classes: int) -> Network:
    """The untrained network of a recipe.

    Parameters
    ----------
    inputs: side of the images in pixels; for a graph network the number of a node's features.
    """
    if recipe.reads_graphs:
        return GRAPH_NETWORKS[recipe.architecture](inputs, recipe.width, classes, recipe.layers, recipe.dropout)
    return build(recipe.architecture, size=inputs, width=recipe.width, classes=classes, anchors=recipe.anchors)


def train(
    recipe: Recipe, images: Tensor, labels: Tensor, *, progress: Progress, keeper: Keeper | None = None
) -> Classifier | Autoencoder:
    """Train one network from scratch, in evaluation mode when returned.

    Parameters
    ----------
    images: float `n x 1 x s x s` in [0, 1].
    labels: int64 `n`, classes 0 to c-1 (unused by autoencoders).
    progress: told the share done and a line of text after every epoch.
    keeper: where to keep it between epochs; one that was kept goes on as if nothing had been.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = network_of(recipe, inputs=images.shape[-1], classes=int(labels.max()) + 1)
        if isinstance(network, GraphNetwork):
            raise TypeError("graph networks are trained by train_on_graph")
        if isinstance(network.encoder, Relative):
            network.encoder.anchors.copy_((images[: recipe.anchors] * 255).round())
        steps = recipe.epochs * (len(images) // recipe.batch)
        optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
        course = Course(network, optimiser, schedule=schedule)
        epoch = partial(_epoch, course, network, recipe, images, labels)
        course.run(recipe.epochs, epoch, keeper, partial(_tell, recipe, course, progress))
    return network.eval()


def train_on_graph(
    recipe: Recipe, graph: Graph, labels: Tensor, *, progress: Progress, keeper: Keeper | None = None
) -> GraphNetwork:
    """Train a graph network on the training nodes; of all epochs the best on the validation nodes counts.

    Parameters are those of `train`, and the labels of all nodes, of which only those two parts' are looked at.
    """
    features, edges = tensors(graph)
    parts = torch.from_numpy(graph.parts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        build_one = GRAPH_NETWORKS[recipe.architecture]
        classes = int(labels.max()) + 1
        network = build_one(features.shape[1], recipe.width, classes, recipe.layers, recipe.dropout)
        optimiser = torch.optim.Adam(network.groups(recipe.weight_decay), recipe.learning_rate)
        course = Course(network, optimiser, patience=recipe.patience)

        def epoch() -> float:
            network.train()
            trained = parts == _TRAIN
            loss = cross_entropy(network(features, edges)[trained], labels[trained])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            course.judge(graph_accuracy(network, graph, labels, parts == _VALIDATION))
            return float(loss.detach())

        course.run(recipe.epochs, epoch, keeper, partial(_tell, recipe, course, progress))
    return network.eval()


def _epoch(course: Course, network: Classifier | Autoencoder, recipe: Recipe, images: Tensor, labels: Tensor) -> float:
    network.train()
    total = torch.zeros(())
    order = torch.randperm(len(images))[: len(images) // recipe.batch * recipe.batch]
    for rows in order.split(recipe.batch):
        batch = _augment(images[rows]) if recipe.augment else images[rows]
        loss = _loss(network, batch, labels[rows])
        course.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        course.step()
        total += loss.detach()
    return float(total) * recipe.batch / len(order)


def _tell(recipe: Recipe, course: Course, progress: Progress, loss: float) -> None:
    share = 1.0 if course.stopped else course.epoch / recipe.epochs
    end = ", stopped early" if course.stopped else ""
    progress(share, f"{recipe.name}: epoch {course.epoch} of {recipe.epochs}, loss {loss:.4f}{end}")


def _loss(network: Classifier | Autoencoder, images: Tensor, labels: Tensor) -> Tensor:
    if isinstance(network, Classifier):
        return cross_entropy(network(images), labels, label_smoothing=0.05)
    mean, log_variance = network.posterior(images)
    noise = torch.randn_like(mean) * torch.exp(0.5 * log_variance) if network.variational else 0.0
    error = torch.nn.functional.mse_loss(network.generate(mean + noise), images)
    if not network.variational:
        return error
    # Gaussian likelihood with its optimal variance, as in the papers' autoencoders, plus the divergence
    # from the standard normal, both per pixel.
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
    return 0.5 * torch.log(error) + divergence / images[0].numel()


def _augment(images: Tensor) -> Tensor:
    """Mirror half of the images and shift the batch by up to two pixels each way."""
    mirrored = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
    down, right = torch.randint(-2, 3, (2,)).tolist()
    return mirrored.roll((down, right), (2, 3))


def accuracy(network: Classifier, images: Tensor, labels: Tensor) -> float:
    """Share of images whose class the native head names, in [0, 1]."""
    with torch.inference_mode():
        scores = torch.cat([network(part) for part in images.split(500)])
    return float((scores.argmax(1) == labels).double().mean())


def graph_accuracy(network: GraphNetwork, graph: Graph, labels: Tensor, nodes: Tensor | slice) -> float:
    """Share of these nodes whose class the native head names, in [0, 1].

    Parameters
    ----------
    nodes: bool `n`, or a slice of the rows.
    """
    network.eval()
    with torch.inference_mode():
        scores = network(*tensors(graph))[nodes]
    return float((scores.argmax(1) == labels[nodes]).double().mean())


def reconstruction_error(network: Autoencoder, images: Tensor) -> float:
    """Mean squared error per pixel of the network's own reconstructions."""
    with torch.inference_mode():
        parts = [(network.decode(network.encode(part)) - part).square().sum() for part in images.split(500)]
    return float(torch.stack(parts).double().sum() / images.numel())
