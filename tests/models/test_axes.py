"""The axis of channels is found in the network, and the layout of memory changes nothing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from relviz.errors import BadChoice
from relviz.models.axes import channel_axes
from relviz.models.encoder import NetworkEncoder
from relviz.models.model import Model
from relviz.models.nodes import layers
from relviz.models.preprocessing import Pictures, Vectors
from relviz.models.reading import Built, model_of
from relviz.packages import torchvision
from tests.models import forms

IMAGES = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(5))


def modelled(network: nn.Module, node: str | None = None) -> Model:
    return model_of("x", Built(network=network, reads=Pictures(channels=1, size=8), origin="a test", node=node))


def passed(network: nn.Module, node: str) -> Tensor:
    """What the module of that name gives."""
    seen = list[Tensor]()
    hook = network.get_submodule(node).register_forward_hook(
        lambda _module, _inputs, gave: seen.append(gave[0] if isinstance(gave, tuple) else gave)
    )
    with torch.inference_mode():
        network.eval()(IMAGES)
    hook.remove()
    return seen[0]


@pytest.mark.parametrize(
    ("build", "axes"),
    [
        (forms.Windows, {"patch": 1, "norm": 3, "last": 3}),
        (forms.ChannelsLast, {"conv": 1, "swap": 3}),
        (forms.Signals, {"body.0": 1, "body.1": 1, "body.3": 1, "body.4": 1}),
        (forms.Tokens, {"embed": 2, "block": 2, "norm": 2}),
        (lambda: nn.Sequential(*forms.maps().children(), nn.Flatten(), nn.Linear(192, 9)), {"0": 1, "1": 1, "2": 1}),
    ],
)
def test_vectors_consist_of_channels(build: Callable[[], nn.Module], axes: dict[str, int]) -> None:
    torch.manual_seed(0)
    network = build()
    for node, axis in axes.items():
        model, whole = modelled(network, node), passed(network, node)
        encoder = model.load()
        assert isinstance(encoder, NetworkEncoder) and not model.notes
        right = whole.mean([other for other in range(1, whole.ndim) if other != axis])
        torch.testing.assert_close(encoder.at_nodes((IMAGES,), [node])[0], right, atol=1e-5, rtol=1e-5)
        assert model.width == whole.shape[axis]
    found = layers(network, (IMAGES,), channel_axes(network, (IMAGES,)))
    assert all(found[node] == passed(network, node).shape[axis] for node, axis in axes.items() if node in found)
    assert len(found) >= 2


def test_attention_in_windows_is_no_layer_of_samples() -> None:
    network = forms.Windows().eval()
    assert "attention" not in channel_axes(network, (IMAGES,))
    with pytest.raises(BadChoice, match="gives no finite vector per sample"):
        modelled(network, "attention")


def test_a_sequence_on_the_first_axis_is_refused() -> None:
    network = forms.SequenceFirst()
    with pytest.raises(BadChoice, match="per sample"):
        modelled(network, "block")
    assert "block" not in channel_axes(network.eval(), (IMAGES,)) and not modelled(network).notes


def test_a_sequence_as_long_as_the_samples_are_many_is_refused_too() -> None:
    network = nn.Sequential(nn.Unflatten(1, (3, 4)), Turn(), nn.Linear(4, 4), Back())
    with pytest.raises(BadChoice, match="no vector per sample; its first axis is not that of samples"):
        model_of("x", Built(network=network, reads=Vectors(12), origin="a test", node="2"))


class Turn(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1)


class Back(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1).flatten(1)


@pytest.mark.parametrize(
    "build", [forms.Confused, lambda: nn.Sequential(*forms.maps(), nn.BatchNorm2d(12, track_running_stats=False))]
)
def test_vectors_that_depend_on_other_samples_are_noted(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    notes = modelled(build()).notes
    assert any("'x' depend on which samples are read together" in note for note in notes)


def test_what_nothing_tells_is_assumed_and_said() -> None:
    torch.manual_seed(0)
    model = modelled(forms.Cube(), "mix")
    assert model.width == 8 and "are taken from axis 1 of what passes 'mix', for nothing in the" in model.notes[0]
    assert "mix" not in layers(forms.Cube().eval(), (IMAGES,), channel_axes(forms.Cube().eval(), (IMAGES,)))


def test_the_axis_is_part_of_the_fingerprint_only_where_it_is_unusual() -> None:
    torch.manual_seed(0)
    network = forms.ChannelsLast()
    found = modelled(network, "swap").fingerprint
    network.swap.forward = lambda x: x * 1.0  # type: ignore[method-assign]
    network.forward = lambda x: network.head(network.swap(network.conv(x)).mean((2, 3)))  # type: ignore[method-assign]
    assert modelled(network, "swap").fingerprint != found


@pytest.mark.parametrize("build", [forms.Views, forms.ViewsInside, forms.Strides])
def test_networks_that_need_the_plain_layout_keep_it(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    network = build().eval()
    right = passed(network, "two").clone()
    model = modelled(network)
    encoder = model.load()
    assert isinstance(encoder, NetworkEncoder) and model.width == 12 and model.head is not None
    torch.testing.assert_close(encoder.at_nodes((IMAGES,), ["two"])[0], right)
    assert network.conv.weight.is_contiguous()  # type: ignore[union-attr, operator]


def test_others_are_laid_out_with_the_channels_last() -> None:
    network = torchvision("models", purpose="These tests").resnet18(num_classes=10)
    model_of("x", Built(network=network, reads=Pictures(size=64), origin="a test"))
    weight = network.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
