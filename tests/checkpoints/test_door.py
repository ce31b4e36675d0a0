"""What others saved comes in as plain, finite tensors, or not at all; nothing of it is ever run."""

import ast
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from relviz.checkpoints import door
from relviz.checkpoints.convert import WRAPPERS
from relviz.checkpoints.door import read_checkpoint
from relviz.errors import BadFile
from tests.checkpoints.files import HONEST, NETWORK, STATE, expanded, hostile, legacy, saved

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def expected(value: Any) -> dict[str, Tensor]:
    while inner := next((value[key] for key in (*WRAPPERS, "weights", "module") if key in value), None):
        value = inner
    return dict(value)


@pytest.mark.parametrize("kind", HONEST)
def test_honest_files_give_their_tensors_bit_by_bit(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    torch.save(HONEST[kind], file)
    found = read_checkpoint(file)
    assert found.keys() == expected(HONEST[kind]).keys()
    for name, tensor in expected(HONEST[kind]).items():
        assert found[name].dtype == tensor.dtype and found[name].equal(tensor)


def test_parts_that_were_saved_apart_are_joined(tmp_path: Path) -> None:
    torch.save({"body": {"0.weight": torch.ones(2)}, "head": {"weight": torch.zeros(3)}, "epoch": 1}, tmp_path / "w.pt")
    assert {name: len(tensor) for name, tensor in read_checkpoint(tmp_path / "w.pt").items()} == {
        "body.0.weight": 2, "head.weight": 3,
    }  # fmt: skip


def test_copies_of_a_network_are_not_chosen_between(tmp_path: Path) -> None:
    for a, b in (("student", "teacher"), ("online", "target"), ("q1", "q2")):
        torch.save({a: dict(STATE), b: dict(STATE)}, tmp_path / "w.pt")
        with pytest.raises(BadFile, match=f"of the same names under '{a}' and '{b}'; save one alone: torch.save"):
            read_checkpoint(tmp_path / "w.pt")


def test_old_files_and_safetensors_are_read_as_well(tmp_path: Path) -> None:
    old, new = tmp_path / "old.th", tmp_path / "new.safetensors"
    legacy(old, {"state_dict": STATE})
    save_file(dict(STATE), new)
    for file in (old, new):
        assert all(tensor.equal(STATE[name]) for name, tensor in read_checkpoint(file).items())


def test_a_file_is_converted_once_and_again_when_its_bytes_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights.pt"
    file.write_bytes(saved({"w": torch.ones(2)}))
    read_checkpoint(file)
    plain = door._converted
    monkeypatch.setattr(door, "_converted", lambda *_: pytest.fail("converted twice"))
    assert read_checkpoint(file)["w"].tolist() == [1, 1]
    monkeypatch.setattr(door, "_converted", plain)
    file.write_bytes(saved({"w": torch.zeros(2)}))
    assert read_checkpoint(file)["w"].tolist() == [0, 0]


def test_hostile_and_foreign_files_are_refused_and_run_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for kind, file in hostile(tmp_path, canary).items():
        with pytest.raises(BadFile) as refused:
            read_checkpoint(file)
        assert str(file) in refused.value.sentence and refused.value.sentence.count(". ") == 0, kind
        assert refused.value.hint and len(refused.value.sentence) < 400
    assert not canary.exists()


def test_the_hostile_files_would_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.load(hostile(tmp_path, canary)["code in an archive"], weights_only=False)  # noqa: TID251 to show the danger
    assert canary.exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([torch.ones(2)], "holds a list, not a table"),
        (torch.ones(2), "holds a Tensor, not a table"),
        ({"epoch": 3}, "holds no tensors"),
        ({1: torch.ones(2)}, "by something else than short words"),
        ({"w": torch.ones(2).to_sparse()}, "names 'torch._utils._rebuild_sparse_tensor'"),
        ({"w": torch.ones(2, dtype=torch.complex64)}, "names 'torch.ComplexFloatStorage'"),
        ({"w": torch.tensor([1.0, float("nan")])}, "'w' of .* has a number that is not finite"),
        ({"model": {"w": torch.tensor([1.0, float("inf")])}}, "'w' of .* has a number that is not finite"),
    ],
)
def test_what_is_no_table_of_finite_tensors_is_named(value: Any, words: str, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(saved(value))
    with pytest.raises(BadFile, match=words):
        read_checkpoint(tmp_path / "w.pt")


def test_huge_declared_tensors_are_refused(tmp_path: Path) -> None:
    expanded(tmp_path / "w.pt")
    with pytest.raises(BadFile, match=r"larger than its content"):
        read_checkpoint(tmp_path / "w.pt")


@pytest.mark.parametrize("share", [0.0, 0.05, 0.6, 0.99])
def test_empty_and_truncated_files_are_refused(share: float, tmp_path: Path) -> None:
    save_file(dict(STATE), tmp_path / "w.safetensors")
    legacy(tmp_path / "w.th", STATE)
    torch.save(STATE, tmp_path / "w.pt")
    for file in (tmp_path / "w.safetensors", tmp_path / "w.th", tmp_path / "w.pt"):
        raw = file.read_bytes()
        file.write_bytes(raw[: int(share * len(raw))])
        with pytest.raises(BadFile, match=str(file)):
            read_checkpoint(file)


@pytest.mark.parametrize("part", ["data/0", "data/2", "version", "byteorder"])
def test_a_flipped_bit_is_found_by_the_archives_checksums(part: str, tmp_path: Path) -> None:
    file = tmp_path / "w.pt"
    torch.save(STATE, file)
    with zipfile.ZipFile(file) as archive:
        entry = next(entry for entry in archive.infolist() if entry.filename.partition("/")[2] == part)
        with archive.open(entry) as content:
            content.read(1)
            begin = content._orig_compress_start  # type: ignore[attr-defined] # where the entry's bytes are
    raw = bytearray(file.read_bytes())
    raw[begin] ^= 1
    file.write_bytes(raw)
    with pytest.raises(BadFile, match=f"is damaged: its part '{part}' is not what its checksum says"):
        read_checkpoint(file)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "none.pt", tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadFile, match=str(file)):
            read_checkpoint(file)


def test_a_child_that_crashes_or_hangs_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "w.pt"
    torch.save(STATE, file)
    script = tmp_path / "child"
    monkeypatch.setattr(door.sys, "executable", str(script))
    for body, seconds, words in (("kill -SEGV $$", 60, "ended the process"), ("sleep 30", 0.5, "took longer")):
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setattr(door.convert, "SECONDS", seconds)
        with pytest.raises(BadFile, match=words):
            read_checkpoint(file)


def test_torch_load_is_called_in_one_place_and_carefully() -> None:
    calls = []
    for path in [*(ROOT / "relviz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "load_state_dict_from_url"):
                calls.append((path.name, {word.arg: ast.unparse(word.value) for word in node.keywords}))
    assert calls == [("convert.py", {"map_location": "'cpu'", "weights_only": "True"})]


def test_the_networks_file_fits_the_network(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "w.pt")
    assert read_checkpoint(tmp_path / "w.pt").keys() == NETWORK.state_dict().keys()
