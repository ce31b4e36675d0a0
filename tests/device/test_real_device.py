"""What only a real GPU can show (G3 and G5 of the test plan)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from relviz import settings
from relviz.core.measures import MEASURES
from relviz.encoding import device, spaces
from relviz.encoding.device import CPU, Device
from relviz.encoding.memory import Kept
from relviz.requests import Anchors, Compare
from relviz.usecases.table import run
from tests.device.agreement import gaps, inputs, results

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")

MIB = 2**20
# Four layers of 128 x 28 x 28 values for each of 10,000 images do not fit in a gigabyte at once.
BIGGEST = Compare("fmnist-resnet-s0", "fmnist-vit-s0", "fashion-mnist", Anchors(1000), measures=tuple(MEASURES))


@pytest.fixture
def gpu() -> Iterator[Device]:
    """The first GPU, chosen afresh."""
    device.chosen.cache_clear()
    yield device.chosen()
    device.chosen.cache_clear()


@pytest.fixture
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every space is encoded again, all rows at once if the device lets them."""
    monkeypatch.setattr(settings, "ENCODE_BATCH", 100_000)
    forget(monkeypatch, tmp_path / "first")


def forget(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("RELVIZ_CACHE", str(folder))
    patch.setattr(spaces, "_spaces", Kept(settings.SPACE_BYTES, lambda space: space.nbytes))


def in_use() -> int:
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    return int(total - free)


@pytest.mark.parametrize("seed", range(5))
def test_gpu_and_cpu_agree_g5(gpu: Device, seed: int) -> None:
    spaces_ = inputs(seed, 2000)
    found = gaps(results(*spaces_), results(*(x.to(gpu.where) for x in spaces_)))
    assert not {name: gap for name, gap in found.items() if not gap <= 1e-4}


def test_the_status_is_of_the_gpu(gpu: Device) -> None:
    before = device.status()
    held = torch.ones(512 * MIB, dtype=torch.uint8, device=gpu.where)
    after = device.status()
    assert (after.kind, after.dead, after.name) == ("cuda", False, torch.cuda.get_device_name())
    assert 0.9 * held.nbytes < after.used_bytes - before.used_bytes < after.total_bytes


@pytest.mark.usefixtures("nothing_kept")
def test_a_full_gpu_finishes_the_biggest_job_g3(gpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unhindered = run(BIGGEST)  # also loads what libraries keep on the device for good
    baseline = in_use()
    gpu.batches.clear()
    forget(monkeypatch, tmp_path / "second")
    free, _ = torch.cuda.mem_get_info()
    filler = torch.empty(max(0, free - 1024 * MIB), dtype=torch.uint8, device=gpu.where)
    found = run(BIGGEST)
    assert gpu.notices or min(gpu.batches.values()) < 10_000
    del filler
    assert abs(in_use() - baseline) <= 200 * MIB
    for name, value in found.relative.items():
        assert value.value == pytest.approx(unhindered.relative[name].value, rel=1e-2, abs=1e-3)
    assert not gpu.dead and gpu.serving != CPU
