"""A network's own head and latent node are found by running it, whatever its parts are called and registered."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from relviz.errors import BadChoice
from relviz.models.heads import maker_of
from relviz.models.model import Model
from relviz.models.preprocessing import Pictures
from relviz.models.reading import Built, model_of
from relviz.models.watching import OUTPUT, first_tensor
from tests.models import forms

IMAGES = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(5))
READS = Pictures(channels=1, size=8)


def modelled(network: nn.Module, node: str | None = None) -> tuple[Model, Tensor]:
    """The model of a network, and its latent vectors of the images."""
    model = model_of("x", Built(network=network, reads=READS, origin="a test", node=node))
    return model, model.load().at_nodes((IMAGES,), [model.load().node])[0]  # type: ignore[attr-defined]


EXACT: list[tuple[Callable[[], nn.Module], str, bool]] = [
    (forms.HeadFirst, "classifier:input", True),
    (forms.HeadInTheMiddle, "head:input", True),
    (forms.PointHead, "head:input", True),
    (forms.PointHeadAfterPooling, "head:input", True),
    (forms.TokenHead, "head:input", True),
    (forms.TwoHeads, "first:input", True),
    (forms.DeadTwoHeads, "first:input", True),
    (forms.AsAnswer, "first:input", True),
    (forms.AsNested, "first:input", True),
    (forms.AsNamed, "first:input", True),
    (forms.Auxiliary, "first:input", True),
    (forms.Tied, "head:input", True),
    (forms.WeightNormed, "head:input", True),
    (lambda: nn.Sequential(forms.body(), nn.Linear(12, 10)), "1:input", False),
    (lambda: nn.Sequential(forms.body(), nn.Linear(12, 10), nn.Sigmoid()), "1:input", False),
]


@pytest.mark.parametrize(("build", "node", "noted"), EXACT)
def test_the_head_is_what_makes_the_output(build: Callable[[], nn.Module], node: str, noted: bool) -> None:
    torch.manual_seed(0)
    network = build()
    model, latent = modelled(network)
    assert latent.shape == (40, 12) and model.load().node == node  # type: ignore[attr-defined]
    assert model.head is not None
    with torch.inference_mode():
        scores = first_tensor(network(IMAGES))
    assert scores is not None
    assert model.head.scores(latent).argmax(1).equal(scores.flatten(1).argmax(1))
    if noted and model.notes:
        assert model.notes[0].startswith(f"Latent vectors of 'x' are what goes into '{node.removesuffix(':input')}',")
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1:]
    assert bool(model.notes) == (last != [node.removesuffix(":input")] or build in (forms.AsAnswer, forms.AsNested))


@pytest.mark.parametrize(
    ("build", "node", "said"),
    [
        (forms.SqueezeLike, "head:input", "more than a linear layer lies between the two"),
        (forms.Cosine, "head:input", "more than a linear layer lies between the two"),
        (forms.Functional, "body.2", "no module of its own, so that its own head is not known"),
    ],
)
def test_a_head_that_is_not_linear_is_left_out_and_said(build: Callable[[], nn.Module], node: str, said: str) -> None:
    torch.manual_seed(0)
    model, latent = modelled(build())
    assert latent.shape == (40, 12) and model.head is None and said in model.notes[0]
    assert model.load().node == node  # type: ignore[attr-defined]


@pytest.mark.parametrize(("build", "node"), [(forms.Pixels, None), (forms.HeadFirst, "body:input")])
def test_the_samples_themselves_are_no_latent_vectors(build: Callable[[], nn.Module], node: str | None) -> None:
    with pytest.raises(BadChoice, match="of 'x' are the samples themselves") as refused:
        modelled(build(), node)
    assert "latent node" in refused.value.hint


def test_a_node_that_is_named_keeps_the_head_where_it_feeds_it() -> None:
    torch.manual_seed(0)
    network = forms.HeadFirst()
    assert modelled(network, "body.2")[0].head is not None and not modelled(network, "body.2")[0].notes
    assert modelled(network, "body.1")[0].head is None  # before the activation
    assert modelled(network, OUTPUT)[0].head is None


def test_zeros_cannot_tell_whose_head_it_is() -> None:
    assert modelled(forms.DeadTwoHeads(), "body")[0].head is None
    maker = maker_of(forms.DeadTwoHeads().eval(), (IMAGES[:3],))
    assert maker is not None and maker.layer == "first"
