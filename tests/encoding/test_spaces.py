"""Encoding: whole or not at all, within its budgets, whatever the device does."""

from pathlib import Path

import pytest
import torch

from relviz.data.catalogue import load_dataset
from relviz.encoding import device, spaces
from relviz.encoding.device import CPU, Device
from relviz.encoding.memory import Kept
from relviz.models.catalogue import find
from relviz.models.encoder import NetworkEncoder
from relviz.models.model import Encoder, Model
from relviz.models.shelf import load_model, shelf
from relviz.progress import silent
from relviz.requests import Anchors

MODEL, DATA = "digits-mlp-s0", "digits"


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No space in memory or on disk, no network loaded."""
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(spaces, "_spaces", Kept(10**9, lambda space: space.nbytes))
    monkeypatch.setattr(spaces, "_encoders", Kept(10**9, lambda encoder: 1))
    return tmp_path


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Device:
    found = Device(torch.device("cuda", 0), "NVIDIA Pretence")
    monkeypatch.setattr(device, "chosen", lambda: found)
    return found


class Cancelled(Exception):
    pass


def cancel(share: float, _text: str) -> None:
    if share > 0:
        raise Cancelled


def test_a_cancelled_encoding_leaves_nothing_behind(empty: Path) -> None:
    with pytest.raises(Cancelled):
        spaces.space_of(find(MODEL), load_dataset(DATA), cancel)
    assert spaces._spaces.bytes == 0 and not list(empty.rglob("*.safetensors"))
    assert not spaces._one_at_a_time.locked()
    whole = spaces.space_of(find(MODEL), load_dataset(DATA), silent)
    with torch.inference_mode():
        expected = load_model(shelf()[MODEL]).encode(load_dataset(DATA).inputs())
    torch.testing.assert_close(whole, expected, atol=1e-5, rtol=0)


def test_progress_counts_the_rows() -> None:
    shares: list[float] = []
    spaces.space_of(find(MODEL), load_dataset(DATA), lambda share, _: shares.append(share))
    assert shares[0] == 0 and shares == sorted(shares) and len(shares) > 2 and shares[-1] < 1


def test_a_device_without_memory_encodes_on_the_cpu(gpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = spaces.encoder_of

    def encoder_of(model: Model, where: torch.device) -> Encoder:
        if where != CPU:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return plain(model, where)

    monkeypatch.setattr(spaces, "encoder_of", encoder_of)
    found = spaces.space_of(find(MODEL), load_dataset(DATA), silent)
    assert len(gpu.notices) == 1 and not gpu.dead
    data = load_dataset(DATA)
    expected = plain(find(MODEL), CPU).encode(data, slice(0, len(data)))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_relative_spaces_outlive_their_device(gpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    data, anchors, rows = load_dataset(DATA), Anchors(20), torch.arange(20)
    space, plain = torch.randn(len(data), 8), spaces.project
    dying = [RuntimeError("CUDA error: device-side assert triggered")]

    def project(*arguments: torch.Tensor, **options: object) -> torch.Tensor:
        if dying:
            raise dying.pop()
        return plain(*arguments, **options)

    monkeypatch.setattr(spaces, "project", project)
    monkeypatch.setattr(torch.Tensor, "to", lambda x, _: x)
    found = spaces.relative_space(space, data, anchors, rows)
    assert gpu.dead and found.equal(plain(space[data.held_out], space[:20], name="cosine"))


def test_networks_are_loaded_once_for_each_device_and_can_be_trained_on() -> None:
    model = find(MODEL)
    with torch.inference_mode():
        spaces.space_of(find(MODEL), load_dataset(DATA), silent)
    encoder = spaces.encoder_of(model, CPU)
    assert isinstance(encoder, NetworkEncoder) and spaces.encoder_of(model, CPU) is encoder
    assert spaces.encoder_of(model, torch.device("meta")) is not encoder
    assert {weights.device.type for weights in encoder.network.parameters()} == {"cpu"}


def test_spaces_beyond_the_budget_are_released_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [MODEL, "digits-mlp-s1", "digits-cnn-s0"]
    sizes = [spaces.space_of(find(name), load_dataset(DATA), silent).nbytes for name in names]
    monkeypatch.setattr(spaces, "_spaces", Kept(sizes[0] + sizes[1], lambda space: space.nbytes))
    for name in names:
        spaces.space_of(find(name), load_dataset(DATA), silent)
        assert spaces._spaces.bytes <= sum(sizes[:2])
    assert spaces._spaces.get((find(MODEL).fingerprint, load_dataset(DATA).fingerprint)) is None
    assert spaces.space_of(find(MODEL), load_dataset(DATA), silent).nbytes == sizes[0]


def test_the_least_recently_used_goes_first_and_the_newest_never() -> None:
    kept: Kept[str, bytes] = Kept(10, len)
    kept["a"], kept["b"], kept["c"] = b"1234", b"12", b"1234"
    assert kept.bytes == 10 and kept.get("a") == b"1234"
    kept["d"] = b"12"
    assert [kept.get(key) is None for key in "abcd"] == [False, True, False, False]
    kept["huge"] = bytes(100)
    assert kept.get("huge") == bytes(100) and kept.bytes == 100
    kept["huge"] = b"1"
    assert kept.bytes == 1
