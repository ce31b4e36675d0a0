"""Graph networks: what the optimiser is given of them."""

import pytest
import torch

from relviz.models.graph_networks import GRAPH_NETWORKS


@pytest.mark.parametrize("name", GRAPH_NETWORKS)
def test_every_parameter_is_trained_once(name: str) -> None:
    network = GRAPH_NETWORKS[name](5, 4, 3, 2, 0.0)
    given = [parameter for group in network.groups(0.1) for parameter in group["params"]]
    assert sorted(map(id, given)) == sorted(map(id, network.parameters()))
    torch.optim.Adam(network.groups(0.1), 0.01)


def test_the_layers_of_gcnii_decay_faster_as_in_its_paper() -> None:
    network = GRAPH_NETWORKS["gcnii"](5, 4, 3, 2, 0.0)
    decay = {id(p): group["weight_decay"] for group in network.groups(5e-4) for p in group["params"]}
    layers = [decay[id(parameter)] for name, parameter in network.named_parameters() if name.startswith("layers.")]
    assert layers == [pytest.approx(0.01)] * 2
    assert decay[id(network.head.weight)] == 5e-4
