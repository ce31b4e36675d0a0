"""One bad entry of the shelf file stays one bad entry: a hundred of them leave the bundled models alone."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from relviz import settings
from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.errors import BadFile, RelvizError
from relviz.models.catalogue import find, offered
from relviz.models.model import Model
from relviz.models.shelf_lines import lines
from relviz.shelf_file import data_entries, model_entries, paired_sets
from relviz.ui.text import without_folders

BUILDERS = """
import os, sys
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

class Falls(nn.Module):
    def forward(self, x):
        raise ValueError("no")

class Exits(nn.Module):
    def forward(self, x):
        sys.exit(3)

def raises(): raise ValueError("secret")
def raises_base(): raise BaseException("odd")
def exits(): sys.exit(0)
def interrupts(): raise KeyboardInterrupt
def recurs(): return recurs()
def generates(): yield 1
def prints():
    print("noise")
    return build()
def nothing(): return None
def falls(): return Falls()
def exits_forward(): return Exits()
def shared():
    net = build()
    net[3].weight = net[1].weight
    return net
number = 3
"""
GOOD = '[models.good]\nbuilder = "bad_builders:build"\nsize = 8\ncheckpoint = "good.safetensors"\n'


def model(**facts: object) -> str:
    given = {"builder": "bad_builders:build", "size": 8, "checkpoint": "good.safetensors", **facts}
    return "[models.bad]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items() if value != "")


MODELS = {
    **{f"builder {name}": model(builder=f"bad_builders:{name}") for name in (
        "raises", "raises_base", "exits", "interrupts", "recurs", "generates", "nothing", "falls", "exits_forward",
        "shared", "number", "absent", "os.system", "__class__", "a b",
    )},
    **{f"module {name}": model(builder=f"{name}:build") for name in (
        "sys_exits", "raising", "interrupting", "no_syntax", "null_bytes", "absent", "os", "", "a..b", "bad builders",
        "../bad_builders", "bad_builders.build", "x" * 2000,
    )},
    "sys exit": model(builder="sys:exit"),
    "os abort": model(builder="os:getcwd"),
    **{f"checkpoint {name}": model(checkpoint=path) for name, path in {
        "missing": "nowhere.pt", "empty": "", "folder": ".", "null": "a\x00b", "long": "x" * 5000,
        "nobody": "~nobody7/x", "circle": "circle", "text": "bad_builders.py", "empty file": "empty.pt",
        "others": "others.safetensors",
        "device": "/dev/null", "fp8": "fp8.safetensors", "huge header": "huge.safetensors", "deep": "a/" * 2000,
    }.items()},
    **{f"{key} {value}": model(**{key: value}) for key, values in {
        "size": (-1, 0, 10**9, 2**70, "8", 1.5, True, [8]), "channels": (0, -3, 10**6), "vectors": (-1, 0, 10**12),
        "mean": ("x", [], [10**400], ["a"], [True]), "std": ([0], [-1], [1e-320], [1e300]),
        "classes": ([], [1], ["a"], ["x" * 5000] * 10), "latent": (3, "", "nowhere", "x" * 3000, "a\nb"),
        "data": (["digits"], 3), "licence": (3,), "unknown": (1,), "folder": ("/",), "source": ("timm:x",),
    }.items() for value in values},
    **{f"source {name}": f'[models.bad]\nsource = {json.dumps(name)}\n' for name in (
        "", ":", "timm:", "timm:no such", "torchvision:__class__", "torchvision:get_model", "hf:/", "hf:nowhere",
        "array:", "array:#", "array:~nobody7/x#y", "array:bad_builders.py#x", "array:a\x00b#x", "odd:thing",
    )},
    "neither": "[models.bad]\n", "a number": "[models]\nbad = 3\n", "a list": "[[models.bad]]\nsize = 8\n",
    "odd name": '[models."<b>x</b>"]\nbuilder = "bad_builders:build"\n', "no name": '[models.""]\nsize = 8\n',
    "long name": f'[models."{"n" * 3000}"]\nsize = 8\n', "control name": '[models."a\\u0007b"]\nsize = 8\n',
}  # fmt: skip
DATA = {
    **{f"data {value!r}": f"[data.bad]\npath = {json.dumps(value)}\n" for value in (
        3, True, [], "", "nowhere", "~nobody7/x", "a\x00b", "x" * 5000, "circle", "bad",
        ".#size=999999999", "/dev/null",
    )},
    "data a number": "[data]\nbad = 3\n", "data more keys": '[data.bad]\npath = "x"\nrows = 3\n',
    "data list": "[[data.bad]]\n", "data odd name": '[data."a\\u0000b"]\npath = "x"\n',
    **{f"paired {value!r}": f"[paired]\nbad = {json.dumps(value)}\n" for value in (
        3, "x", [], ["a"], ["a", "a"], [1, 2], ["a\x00", "b"],
    )},
    "paired table": "[paired.bad]\na = 1\n",
}  # fmt: skip
FILES = {
    "syntax": "[models.a", "twice": "[models.a]\n[models.a]\n", "no utf-8": b'[models."caf\xe9"]\n', "null": b"\x00",
    "models a number": "models = 3\n", "models a list": "models = []\n", "data a number": "data = 3\n",
    "paired a word": 'paired = "x"\n', "deep": "a = " + "[" * 5000 + "]" * 5000, "digits": "a = " + "9" * 5000,
    "bom": b"\xef\xbb\xbf[models.a", "dates": "[models]\na = 1979-05-27T07:32:00Z\n",
    "surrogate": '[data]\na = "\\ud800"\n',
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shelf")
    (made / "bad_builders.py").write_text(BUILDERS)
    (made / "sys_exits.py").write_text("import sys\nsys.exit(0)\n")
    (made / "raising.py").write_text("raise ValueError('secret')\n")
    (made / "interrupting.py").write_text("raise KeyboardInterrupt\n")
    (made / "no_syntax.py").write_text("def build(:\n")
    (made / "null_bytes.py").write_bytes(b"x = 1\x00\n")
    (made / "circle").symlink_to("circle")
    (made / "empty.pt").touch()
    torch.manual_seed(0)
    layers = {"1.weight": torch.randn(16, 64), "1.bias": torch.zeros(16)}
    layers |= {"3.weight": torch.randn(10, 16), "3.bias": torch.zeros(10)}
    save_file(layers, made / "good.safetensors")
    save_file({"odd": torch.ones(3)}, made / "others.safetensors")
    save_file({name: one.to(torch.float8_e4m3fn) for name, one in layers.items()}, made / "fp8.safetensors")
    (made / "huge.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    return made


@pytest.fixture
def shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = folder / "relviz.toml"
    monkeypatch.setenv("RELVIZ_SHELF", str(file))
    monkeypatch.setattr(settings, "BUILDER_SECONDS", 5.0)
    return file


def check_sentence(error: RelvizError, folder: Path) -> None:
    text = without_folders(str(error))
    assert text.isprintable() and len(text) < 600 and str(folder) not in text and error.hint


@pytest.mark.parametrize("case", [*MODELS, *DATA])
def test_a_bad_entry_leaves_all_others_alone(case: str, shelf: Path, folder: Path) -> None:
    shelf.write_text({**MODELS, **DATA}[case] + GOOD)
    data = load_dataset("digits")
    found = offered(data)
    assert [name for name in found if name.startswith("digits")] == [
        f"digits-{a}-s{s}" for a in ("mlp", "cnn") for s in (0, 1)
    ]
    assert isinstance(found["good"], Model) and np.isfinite(find("good").width)
    for listed in (found, data_entries(), paired_sets()):
        for problem in listed.values():
            if isinstance(problem, RelvizError):
                check_sentence(problem, folder)
    for name in data_entries():
        try:
            load_dataset(name)
        except RelvizError as error:
            assert error.sentence and error.hint
    assert [line.problem for line in lines() if line.name == "good"] == [None]


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_leaves_the_bundled_models_alone(
    case: str, shelf: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = FILES[case]
    shelf.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = offered(load_dataset("digits"))
    assert sum(isinstance(one, Model) for one in found.values()) == 4
    for problem in found.values():
        if isinstance(problem, RelvizError):
            check_sentence(problem, folder)
    assert main(["shelf"]) == 0 and main(["datasets"]) == 0
    assert "Traceback" not in (told := capsys.readouterr()).out + told.err


def test_what_is_wrong_with_the_file_is_told_under_its_name(shelf: Path) -> None:
    shelf.write_text("[models.a]\nsize = = 3\n")
    assert list(model_entries()) == ["relviz.toml"]
    with pytest.raises(BadFile, match=r"relviz.toml cannot be read: .*line 2"):
        find("a")
    shelf.write_text("data = 3\n" + GOOD)
    assert find("good").width and list(model_entries()) == ["relviz.toml", "good"]


def test_a_builder_that_never_returns_is_left_behind_and_not_begun_again(
    shelf: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BUILDER_SECONDS", 0.5)
    (folder / "endless.py").write_text("import time\ndef build():\n    while True: time.sleep(0.05)\n")
    shelf.write_text(model(builder="endless:build"))
    for _ in range(3):
        with pytest.raises(RelvizError, match="has not returned after"):
            find("bad")
    assert sum("endless" in thread.name for thread in threading.enumerate()) == 1


def test_what_a_builder_prints_does_not_get_into_the_answer(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.write_text(model(builder="bad_builders:prints"))
    assert main(["shelf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["problem"] is None
