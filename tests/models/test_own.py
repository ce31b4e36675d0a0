"""A user's own network on the shelf: what is accepted, what is refused, and that nothing is half-registered."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, BadFile, RelvizError, UnknownName
from relviz.models import catalogue
from relviz.models.catalogue import find, names_for
from relviz.models.encoder import NetworkEncoder
from relviz.models.model import Model
from relviz.packages import torchvision
from relviz.shelf_file import data_entries, model_entries
from tests.models import networks

HERE = "tests.models.networks"
Add = Callable[..., Model]


@pytest.fixture(autouse=True)
def shelf_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "relviz.toml"))
    return tmp_path / "relviz.toml"


@pytest.fixture
def add(tmp_path: Path) -> Add:
    """Saves a network's weights, changed as asked, and adds it with its builder and other facts."""

    def added(builder: str, change: dict[str, Any] | None = None, *, weights_of: str = "", **facts: Any) -> Model:
        torch.manual_seed(1)
        state = getattr(networks, weights_of or builder)().state_dict()
        tensors = {name: tensor.clone() for name, tensor in {**state, **(change or {})}.items() if tensor is not None}
        file = tmp_path / f"{builder}.safetensors"
        save_file(tensors, file)
        facts = {"size": 8, **facts} if facts.get("vectors") is None else facts
        return catalogue.add("mine", {"builder": f"{HERE}:{builder}", "checkpoint": str(file), **facts})[1]

    return added


def test_a_classifier_keeps_its_head_and_is_found_again(add: Add) -> None:
    model = add("classifier")
    assert (model.width, model.modality, model.decodes) == (12, "image", False)
    data = load_dataset("digits")
    latent = model.load().encode(data, slice(0, 20))
    encoder = model.load()
    assert isinstance(encoder, NetworkEncoder) and model.head is not None
    scores = encoder.network(data.inputs()[:20])
    assert model.head.scores(latent).argmax(1).equal(scores.argmax(1))
    assert find("mine").fingerprint == model.fingerprint and "mine" in names_for(data)


def test_a_missing_head_is_none_and_an_extra_head_is_the_head(add: Add, shelf_file: Path) -> None:
    assert add("classifier", {"5.weight": None, "5.bias": None}).head is None
    shelf_file.unlink()
    extra = {"5.weight": torch.ones(10, 12), "5.bias": torch.zeros(10)}
    model = add("encoder", extra)
    assert model.width == 12 and model.head is not None and model.head.weight.equal(torch.ones(12, 10))


def test_any_node_can_be_the_latent_one(add: Add, shelf_file: Path) -> None:
    found = {}
    for node in ("0", "1", "3", "3:input", "encode()"):
        shelf_file.unlink(missing_ok=True)
        if node == "encode()":
            with pytest.raises(RelvizError):
                add("classifier", latent=node)
        else:
            found[node] = add("classifier", latent=node)
    assert {node: model.width for node, model in found.items()} == {"0": 4, "1": 4, "3": 12, "3:input": 144}
    assert len({model.fingerprint for model in found.values()}) == 4
    assert all(model.head is None for model in found.values())


def test_several_nodes_take_one_run(add: Add) -> None:
    encoder = add("classifier").load()
    assert isinstance(encoder, NetworkEncoder)
    encoder.encode_nodes(load_dataset("digits"), slice(0, 3), ["0"])  # finds the axes of channels, once
    runs = []
    encoder.network.register_forward_hook(lambda *_: runs.append(1))
    found = encoder.encode_nodes(load_dataset("digits"), slice(0, 3), ["0", "3", "5:input"])
    assert [tuple(seen.shape) for seen in found] == [(3, 4), (3, 12), (3, 12)] and len(runs) == 1


def test_autoencoders_tied_weights_and_vectors(add: Add, shelf_file: Path, tmp_path: Path) -> None:
    model = add("autoencoder")
    assert model.decodes and model.width == 6 and model.head is None
    assert model.load().decode(torch.zeros(2, 6)).shape == (2, 1, 8, 8)
    shelf_file.unlink()
    assert add("tied", {"2.weight": None}).width == 64
    shelf_file.unlink()
    np.savez(tmp_path / "v.npz", X=np.random.default_rng(0).normal(size=(20, 5)), y=np.arange(20) % 2)
    model = add("of_vectors", vectors=5)
    data = load_dataset(str(tmp_path / "v.npz"))
    assert model.load().encode(data, slice(0, 4)).shape == (4, 7) and model.head is not None
    with pytest.raises(BadChoice, match="'mine' reads vectors, and 'digits' holds image samples"):
        model.check(load_dataset("digits"))


def test_weights_preprocessing_and_node_change_the_fingerprint(add: Add, shelf_file: Path) -> None:
    choices: list[dict[str, Any]] = [{}, {"mean": (0.5,)}, {"latent": "3"}, {"change": {"0.bias": torch.ones(4)}}]
    found = []
    for chosen in choices:
        found.append(add("classifier", **chosen).fingerprint)
        shelf_file.unlink()
    assert len(set(found)) == len(choices) and add("classifier").fingerprint == found[0]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"builder": "tests.models.nowhere:f"}, "no module 'tests.models.nowhere'"),
        ({"builder": f"{HERE}:nothing"}, "has no function 'nothing'"),
        ({"builder": f"{HERE}:constant"}, "has no function 'constant'"),
        ({"builder": "os.system('x')"}, "is no place in a package"),
        ({"builder": f"{HERE}:raising"}, r"raises ValueError \(no such thing\)"),
        ({"builder": f"{HERE}:no_network"}, "gives a Tensor, not a network"),
        ({"builder": f"{HERE}:encoder"}, "w.safetensors has '5.weight'|has no"),
        ({"builder": f"{HERE}:tied"}, "w.safetensors has no '1.weight'"),
        ({"checkpoint": "none.pt"}, "none.pt cannot be read"),
        ({"checkpoint": None}, "has no checkpoint"),
        ({"size": 9}, "cannot read 3 x 1 x 9 x 9"),
        ({"size": 0}, "cannot be 0 pixels wide"),
        ({"channels": 2}, "of 2 channels cannot be read"),
        ({"std": (0.0,)}, "std 0 cannot be divided by"),
        ({"std": (1e-320,)}, "std 9.99989e-321 cannot be divided by"),
        ({"std": (1e-40,)}, "std 1e-40 cannot be divided by"),
        ({"std": (-1.0,)}, "std -1 cannot be divided by"),
        ({"std": (float("nan"),)}, "std nan cannot be divided by"),
        ({"std": (float("inf"),)}, "std inf cannot be divided by"),
        ({"mean": (float("nan"),)}, "mean nan cannot be subtracted"),
        ({"mean": (1e300,)}, r"mean 1e\+300 cannot be subtracted"),
        ({"builder": f"{HERE}:of_vectors", "vectors": 5, "size": None, "std": (2.0,)}, "reads vectors, but the std"),
        ({"builder": f"{HERE}:of_vectors", "vectors": 5}, "reads vectors, but the size of images"),
        ({"builder": f"{HERE}:of_vectors", "vectors": 0, "size": None}, "cannot be 0 numbers wide"),
        ({"source": "timm:resnet18", "builder": None, "vectors": 5}, "the key 'vectors', for which a source"),
        ({"mean": (0.1, 0.2)}, "mean has 2 numbers"),
        ({"latent": "nowhere"}, "no latent node called 'nowhere'"),
        ({"latent": "2:input:input"}, "no latent node"),
        ({"classes": tuple("012345678")}, "head of 'mine' tells 10 classes apart, and 9 unlike names are given"),
        ({"classes": tuple("0123456788")}, "and 9 unlike names are given"),
    ],
)
def test_what_does_not_work_is_one_sentence_and_not_on_the_shelf(
    facts: dict[str, Any], words: str, tmp_path: Path, shelf_file: Path
) -> None:
    save_file(networks.classifier().state_dict(), tmp_path / "w.safetensors")
    save_file({"5.weight": torch.ones(10, 9), **networks.encoder().state_dict()}, tmp_path / "e.safetensors")
    checkpoint = "e.safetensors" if (facts.get("builder") or "").endswith(":encoder") else "w.safetensors"
    given = {"builder": f"{HERE}:classifier", "checkpoint": str(tmp_path / checkpoint), "size": 8, **facts}
    if (facts.get("builder") or "").endswith(":encoder"):
        words = "e.safetensors has '5.weight', which the network has not"
    with pytest.raises(RelvizError, match=words):
        catalogue.add("mine", {key: value for key, value in given.items() if value is not None})
    assert not shelf_file.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"0.weight": None},
        {"5.weight": torch.ones(9, 12)},
        {"0.bias": torch.full((4,), torch.nan)},
        {"5.weight": torch.full((10, 12), 1e200, dtype=torch.float64)},
        {"5.bias": torch.full((10,), -4e38, dtype=torch.float64)},
        {"0.weight": torch.full((4, 1, 3, 3), 3.5e38, dtype=torch.float64)},
    ],
)
def test_wrong_weights_are_named(change: dict[str, Any], add: Add, shelf_file: Path) -> None:
    with pytest.raises(BadFile, match=f"'{next(iter(change))}'"):
        add("classifier", change)
    assert not shelf_file.exists()


def test_names_are_plain_and_taken_once(add: Add) -> None:
    add("classifier")
    with pytest.raises(BadChoice, match="has a model 'mine' already"):
        add("classifier")
    for name in ("", "../x", 'a"b', "a" * 65):
        with pytest.raises(BadChoice, match="cannot name a model"):
            catalogue.add(name, {})
    with pytest.raises(BadChoice, match="A bundled model is called"):
        catalogue.add("digits-mlp-s0", {})


def test_adding_leaves_the_rest_of_the_file_alone(add: Add, shelf_file: Path) -> None:
    shelf_file.write_text('# mine\n[data.small]\npath = "digits:n=100"')
    add("classifier", mean=(0.25,), classes=tuple("0123456789"))
    assert shelf_file.read_text().startswith('# mine\n[data.small]\npath = "digits:n=100"\n')
    assert data_entries() == {"small": "digits:n=100"}
    entry = model_entries()["mine"]
    assert not isinstance(entry, BadFile) and entry.mean == (0.25,) and entry.checkpoint == "classifier.safetensors"


def test_a_damaged_file_is_named_with_its_line(shelf_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shelf_file.write_text('[models.a]\nbuilder = "x:y"\nsize = = 3\n')
    with pytest.raises(BadFile, match=r"relviz.toml cannot be read: .*line 3"):
        find("a")
    assert main(["shelf"]) == 0 and "line 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[models.a]\nsize = 3\n[models.a]\nsize = 4\n", r"cannot be read: .*line 3"),
        (b'[models."caf\xe9"]\n', "cannot be read: .*utf-8"),
        (b"models = 3\n", "has 'models', which is no table"),
        (b"[models.a", "cannot be read: .*at end of document"),
    ],
)
def test_files_that_are_no_shelf_are_refused_and_left_as_they_are(
    content: bytes, words: str, shelf_file: Path, tmp_path: Path
) -> None:
    shelf_file.write_bytes(content)
    save_file(networks.classifier().state_dict(), tmp_path / "w.safetensors")
    facts = {"builder": f"{HERE}:classifier", "checkpoint": str(tmp_path / "w.safetensors"), "size": 8}
    for attempt in (lambda: find("a"), lambda: catalogue.add("mine", facts)):
        with pytest.raises(BadFile, match=words) as refused:
            attempt()
        assert "relviz.toml" in refused.value.sentence and "\n" not in str(refused.value)
    assert shelf_file.read_bytes() == content


def test_an_empty_shelf_has_no_models_and_takes_the_first(shelf_file: Path, add: Add) -> None:
    shelf_file.write_bytes(b"")
    assert model_entries() == {} == data_entries()
    add("classifier")
    assert list(model_entries()) == ["mine"]


def test_builders_lie_beside_the_shelf_file_or_in_the_working_folder(
    shelf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    code = f"from {HERE} import classifier\n"
    (tmp_path / "beside_shelf.py").write_text(code)
    (work / "at_work.py").write_text(code)
    save_file(networks.classifier().state_dict(), work / "w.safetensors")
    monkeypatch.chdir(work)
    for module in ("beside_shelf", "at_work"):
        facts = {"builder": f"{module}:classifier", "checkpoint": "w.safetensors", "size": 8}
        assert catalogue.add(module, facts)[1].width == 12
    with pytest.raises(BadChoice, match=f"no module 'nowhere' in {tmp_path} or {work}"):
        catalogue.add("lost", {"builder": "nowhere:f", "checkpoint": "w.safetensors"})


@pytest.mark.parametrize(
    "code",
    [
        "from torchvision.models import resnet18\ndef build(): return resnet18(num_classes=10)\n",
        "def build():\n    import torchvision\n    return torchvision.models.resnet18(num_classes=10)\n",
        "import torchvision.transforms\nfrom torchvision.models import get_model\n"
        "def build(): return get_model('resnet18', num_classes=10)\n",
        "import timm\ndef build(): return timm.create_model('resnet18', num_classes=10)\n",
    ],
)
def test_builders_may_import_torchvision(code: str, tmp_path: Path) -> None:
    (tmp_path / "of_torchvision.py").write_text(code)
    weights = torchvision("models", purpose="These tests").resnet18(num_classes=10).state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    script = (
        "import sys; from relviz.cli import main; sys.exit(main(['add', 'r', '--builder', 'of_torchvision:build', "
        "'--checkpoint', 'w.safetensors', '--size', '32']))"
    )
    environment = {**os.environ, "RELVIZ_SHELF": str(tmp_path / "relviz.toml"), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "512 numbers; own head: 10 classes" in done.stdout, done.stderr


def test_the_shelf_lists_every_entry_with_its_problem(
    add: Add, shelf_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("classifier")
    bad = [
        'builder = "x:y"\ncolour = 3',
        "size = 8",
        'source = "timm:x"\nsize = "8"',
        'source = "nowhere:x"',
        "mean = []",
    ]
    with shelf_file.open("a") as file:
        for i, lines in enumerate(bad):
            file.write(f"[models.bad{i}]\n{lines}\n")
    assert main(["shelf", "--json"]) == 0
    found = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
    assert found["mine"]["problem"] is None and found["mine"]["width"] == 12 and found["mine"]["head"] == "10 classes"
    words = [
        "unknown key 'colour'",
        "not one of builder and source",
        "has the size '8'",
        "source of models",
        "the mean []",
    ]
    for i, part in enumerate(words):
        assert part in found[f"bad{i}"]["problem"]
    assert names_for(load_dataset("digits"))[-1] == "mine"
    with pytest.raises(UnknownName, match="Did you mean 'mine'"):
        find("mien")


def test_the_command_line_adds_and_says_what(
    shelf_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "w.safetensors"
    save_file(networks.classifier().state_dict(), file)
    what = ["--builder", f"{HERE}:classifier", "--checkpoint", str(file), "--size", "8", "--mean", "0.5", "--std", "2"]
    assert main(["add", "net", *what]) == 0
    assert "image to 12 numbers; own head: 10 classes" in capsys.readouterr().out
    assert main(["add", "net2", *what[:-2], "--latent", "9"]) == 1 and "net2" not in shelf_file.read_text()
