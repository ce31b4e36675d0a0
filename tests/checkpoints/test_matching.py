"""Names as wrappers leave them are understood; anything else that differs is named."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from relviz.checkpoints.matching import fill
from relviz.errors import BadFile
from tests.checkpoints.files import NETWORK, STATE, prefixed

FILE = Path("w.pt")


def filled(tensors: dict[str, Tensor], head: str | None = "3") -> nn.Module:
    network = copy.deepcopy(NETWORK)
    for tensor in network.state_dict().values():
        tensor.zero_()
    fill(network, tensors, file=FILE, head=lambda: head)
    return network


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "_orig_mod.", "backbone.", "module._orig_mod.", "_orig_mod.module.model."]
)
def test_prefixes_are_understood(prefix: str) -> None:
    for name, tensor in filled(prefixed(prefix)).state_dict().items():
        assert tensor.equal(STATE[name])


def test_a_prefix_of_the_network_itself_stays() -> None:
    network = nn.Sequential()
    network.add_module("model", copy.deepcopy(NETWORK))
    found = fill(network, prefixed("module.model."), file=FILE, head=lambda: None)
    assert found.keys() == prefixed("model.").keys()


def test_a_backbone_with_its_head_beside_it() -> None:
    tensors = {("" if name.startswith("3") else "backbone.") + name: tensor for name, tensor in STATE.items()}
    assert filled(tensors).state_dict()["0.weight"].equal(STATE["0.weight"])


def test_half_precision_becomes_the_networks_own() -> None:
    network = filled({name: tensor.half() for name, tensor in STATE.items()})
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}
    torch.testing.assert_close(network.state_dict()["3.weight"], STATE["3.weight"], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("part", ["module", "_orig_mod", "module._orig_mod"])
def test_parts_that_were_wrapped_on_their_own(part: str) -> None:
    network = nn.Sequential(copy.deepcopy(NETWORK), nn.Linear(5, 2))
    state = {name: torch.randn_like(tensor.float()) for name, tensor in network.state_dict().items()}
    tensors = {name.replace("0.", f"0.{part}.", 1) if name[0] == "0" else name: t for name, t in state.items()}
    fill(network, tensors, file=FILE, head=lambda: None)
    assert network[1].weight.equal(state["1.weight"]) and network[0][0].weight.equal(state["0.0.weight"])  # type: ignore[index]


@pytest.mark.parametrize("beside", ["n_averaged", "criterion.weight", "loss_fn.centres", "loss.margin"])
def test_what_training_keeps_beside_the_network_is_left_out(beside: str) -> None:
    found = fill(copy.deepcopy(NETWORK), {**prefixed("model."), beside: torch.ones(7)}, file=FILE, head=lambda: None)
    assert found.keys() == STATE.keys()
    averaged = {**prefixed("module."), beside: torch.tensor(3)}
    assert fill(copy.deepcopy(NETWORK), averaged, file=FILE, head=lambda: None).keys() == STATE.keys()


def test_tied_weights_need_one_name_only() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network[1].weight = network[0].weight
    tensors = {"0.weight": torch.ones(3, 3), "0.bias": torch.ones(3), "1.bias": torch.ones(3)}
    fill(network, tensors, file=FILE, head=lambda: None)
    assert network[1].weight.equal(torch.ones(3, 3))


def test_files_without_counters_and_without_the_head() -> None:
    filled({name: tensor for name, tensor in STATE.items() if not name.endswith("num_batches_tracked")})
    found = fill(copy.deepcopy(NETWORK), {n: t for n, t in STATE.items() if n[0] != "3"}, file=FILE, head=lambda: "3")
    assert "3.weight" not in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"0.weight": None}, r"w.pt has no '0.weight'; the network needs 4 x 3 x 3 x 3"),
        ({"3.bias": None}, r"w.pt has no '3.bias'; the network needs 5"),
        ({"0.weight": torch.zeros(4, 3, 5, 5)}, r"'0.weight' of w.pt is 4 x 3 x 5 x 5, that of the network 4 x 3 x 3"),
        ({"3.weight": torch.zeros(7, 16)}, r"'3.weight' of w.pt is 7 x 16, that of the network 5 x 16"),
        ({"3.weight": torch.zeros(16, 5)}, r"'3.weight' of w.pt is 16 x 5"),
        ({"0.weight": torch.zeros(4, 3, 3, 3, dtype=torch.int8)}, r"'0.weight' of w.pt holds int8"),
        (
            {"module.0.weight": torch.zeros(4, 3, 3, 3)},
            r"w.pt has 'module.0.weight' \(4 x 3 x 3 x 3\), which the network",
        ),
        (
            {"3.weight": torch.full((5, 16), 1e200, dtype=torch.float64)},
            r"'3.weight' of w.pt has the number 1e\+200, and float32 ends at 3.4e\+38",
        ),
        ({"1.running_var": torch.full((4,), 1e39, dtype=torch.float64)}, r"'1.running_var' of w.pt has the number 1e"),
        ({"4.weight": torch.full((2, 5), 1e99, dtype=torch.float64)}, r"'4.weight' of w.pt has the number 1e\+99"),
        ({"4.weight": torch.zeros(2, 2, 2)}, r"w.pt has '4.weight' \(2 x 2 x 2\), which the network has not"),
    ],
)
def test_the_first_difference_is_named(change: dict[str, Any], words: str) -> None:
    tensors = {name: tensor for name, tensor in {**STATE, **change}.items() if tensor is not None}
    with pytest.raises(BadFile, match=words):
        filled(tensors)
