"""Device faults, raised by steps that stand in for a GPU; tests/device meets a real one."""

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from relviz.encoding import device
from relviz.encoding.device import CPU, Device, in_batches, on_device, status
from relviz.errors import BadChoice, OutOfMemory, RelvizError
from tests.pace import seconds_of

GPU = torch.device("cuda", 0)
ROWS, WIDTH, BATCH = 3000, 16, 1024
INPUTS = torch.randn(ROWS, 8, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.randn(8, WIDTH, generator=torch.Generator().manual_seed(1))
EXPECTED = (INPUTS @ WEIGHTS).tanh()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Device:
    """A chosen GPU that is not there: steps told to use it compute on the CPU, or raise."""
    found = Device(GPU, "NVIDIA Pretence")
    monkeypatch.setattr(device, "chosen", lambda: found)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where: (30, 100) if where == GPU else (0, 0))
    return found


@pytest.fixture
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> Device:
    found = Device(CPU, "CPU, 2 threads")
    monkeypatch.setattr(device, "chosen", lambda: found)
    return found


@pytest.fixture
def choosing(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The choice made afresh."""
    device.chosen.cache_clear()
    yield monkeypatch
    device.chosen.cache_clear()
    torch.backends.cuda.matmul.allow_tf32 = False


class Step:
    """Encodes; raises an error where more than so many rows are asked at once of a device."""

    def __init__(self, error: Exception, **most: int) -> None:
        self.error, self.most = error, most
        self.asked: list[tuple[str, int]] = []
        self.failed: list[weakref.ref[Tensor]] = []

    def __call__(self, rows: slice, where: torch.device) -> Tensor:
        assert not [tensor for tensor in self.failed if tensor() is not None]
        count = rows.stop - rows.start
        self.asked.append((where.type, count))
        hidden = INPUTS[rows] @ WEIGHTS
        if count > self.most.get(where.type, ROWS):
            self.failed.append(weakref.ref(hidden))
            raise type(self.error)(*self.error.args)  # a fresh one: the step itself must not hold the traceback
        return hidden.tanh()

    def run(self, key: str = "net") -> Tensor:
        return in_batches(self, (ROWS, WIDTH), batch=BATCH, key=key)


def no_memory() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("fits", [512, 256, 128, 64, 32, 16])
def test_out_of_memory_halves_the_batch_and_keeps_the_result_g1(gpu: Device, fits: int) -> None:
    step = Step(no_memory(), cuda=fits)
    torch.testing.assert_close(step.run(), EXPECTED, atol=1e-5, rtol=0)
    halvings = [count for _, count in step.asked if count > fits]
    assert halvings == [fits * 2**i for i in range(len(halvings), 0, -1)] and halvings[0] == BATCH
    assert len(step.failed) == len(halvings) and not [ref for ref in step.failed if ref() is not None]
    assert {where for where, _ in step.asked} == {"cuda"} and not gpu.notices
    assert gpu.batches == {("net", GPU): fits}


def test_the_next_work_of_that_kind_starts_at_the_batch_that_fitted(gpu: Device) -> None:
    Step(no_memory(), cuda=100).run()
    again, other = Step(no_memory(), cuda=100), Step(no_memory())
    assert again.run().equal(EXPECTED) and not again.failed and again.asked[0] == ("cuda", 64)
    assert other.run("another net").equal(EXPECTED) and other.asked[0] == ("cuda", BATCH)


def test_rows_done_before_memory_ran_out_are_not_done_again(gpu: Device) -> None:
    done: list[int] = []

    def step(rows: slice, where: torch.device) -> Tensor:
        if rows.start and rows.stop - rows.start > 512:
            raise no_memory()
        done.extend(range(rows.start, rows.stop))
        return EXPECTED[rows]

    assert in_batches(step, (ROWS, WIDTH), batch=BATCH, key="net").equal(EXPECTED)
    assert done == list(range(ROWS))


def test_at_one_row_the_cpu_takes_over_and_says_so_g2(gpu: Device) -> None:
    step = Step(no_memory(), cuda=0)
    torch.testing.assert_close(step.run(), EXPECTED, atol=1e-5, rtol=0)
    assert [count for where, count in step.asked if where == "cuda"] == [2**i for i in range(10, -1, -1)]
    assert [count for where, count in step.asked if where == "cpu"] == [1024, 1024, 952]
    assert gpu.notices == ["The memory of NVIDIA Pretence ran out; the CPU computed instead."]
    assert status().notices == tuple(gpu.notices) and not gpu.dead
    step.run()
    assert len(gpu.notices) == 1


def test_eleven_failures_cost_less_than_a_few_full_collections(gpu: Device) -> None:
    # Side by side and the best of rounds, since machines differ and others use them too.
    falls = [seconds_of(lambda: Step(no_memory(), cuda=0).run("net")) for _ in range(3)]
    collections = [seconds_of(gc.collect) for _ in range(3)]
    assert min(falls) < 4 * min(collections), (falls, collections)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you ..."
        ),
        MemoryError("Unable to allocate 29.8 GiB for an array"),
    ],
)
def test_out_of_memory_on_the_cpu_halves_and_at_last_refuses_g2(on_cpu: Device, error: Exception) -> None:
    assert Step(error, cpu=300).run().equal(EXPECTED)
    with pytest.raises(OutOfMemory, match="Choose a smaller data set"):
        Step(error, cpu=0).run("too large")
    assert Step(error).run("well").equal(EXPECTED)


def test_memory_that_is_really_not_there_is_refused(on_cpu: Device) -> None:
    with pytest.raises(OutOfMemory):
        on_device(lambda _: torch.empty(2**60))
    with pytest.raises(OutOfMemory):
        in_batches(lambda _, where: torch.empty(0), (2**50, 100), batch=1, key="net")


DEATHS = [
    RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    torch.AcceleratorError("unspecified launch failure"),
]


@pytest.mark.parametrize("death", DEATHS)
def test_a_dead_device_is_left_for_good_g4(gpu: Device, death: Exception) -> None:
    step = Step(death, cuda=0)
    torch.testing.assert_close(step.run(), EXPECTED, atol=1e-5, rtol=0)
    assert gpu.dead and [where for where, _ in step.asked] == ["cuda", "cpu", "cpu", "cpu"]
    assert on_device(lambda where: where) == CPU
    found = status()
    assert found.dead and (found.name, found.kind) == ("NVIDIA Pretence", "cuda")
    assert found.notices == ("NVIDIA Pretence has failed; the CPU computes until relviz is started again.",)
    assert 0 < found.used_bytes < found.total_bytes


def test_a_device_that_dies_when_asked_for_its_memory_is_noticed(gpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(_: torch.device) -> tuple[int, int]:
        raise DEATHS[0]

    monkeypatch.setattr(torch.cuda, "mem_get_info", dead)
    assert status().dead and status().used_bytes > 0


@pytest.mark.parametrize(
    "words", ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x"]
)
def test_memory_that_ran_out_inside_a_library_is_no_death(gpu: Device, words: str) -> None:
    assert Step(torch.AcceleratorError(words), cuda=100).run().equal(EXPECTED) and not gpu.dead


def test_a_whole_computation_falls_back_too(gpu: Device) -> None:
    step = Step(no_memory(), cuda=0)
    assert on_device(lambda where: step(slice(0, ROWS), where)).equal(EXPECTED)
    assert step.asked == [("cuda", ROWS), ("cpu", ROWS)] and len(gpu.notices) == 1


class Cancelled(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [Cancelled(), RelvizError("No."), RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("x")],
)
def test_other_errors_are_not_the_devices(gpu: Device, error: BaseException) -> None:
    def step(_rows: slice, _where: torch.device) -> Tensor:
        raise error

    for work in (lambda: in_batches(step, (2, 2), batch=1, key="net"), lambda: on_device(lambda w: step(slice(1), w))):
        with pytest.raises(type(error)) as met:
            work()
        assert met.value is error
    assert not gpu.dead and not gpu.notices and not gpu.batches


def test_what_reads_like_a_death_on_the_cpu_kills_nothing(on_cpu: Device) -> None:
    with pytest.raises(RuntimeError, match="assert"):
        Step(DEATHS[0], cpu=0).run()
    assert not on_cpu.dead


@pytest.mark.parametrize(
    ("wish", "count", "found"),
    [
        (None, 0, "cpu"),
        (None, 2, "cuda:0"),
        ("auto", 0, "cpu"),
        ("auto", 1, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 2, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_the_device_is_the_one_wished_for(
    choosing: pytest.MonkeyPatch, wish: str | None, count: int, found: str
) -> None:
    pretend(choosing, wish, count)
    torch.backends.cuda.matmul.allow_tf32 = True
    assert device.chosen().where == torch.device(found) and device.chosen() is device.chosen()
    assert torch.backends.cuda.matmul.allow_tf32 == (found == "cpu")


@pytest.mark.parametrize(
    ("wish", "count", "words"),
    [
        ("gpu", 1, "RELVIZ_DEVICE is 'gpu', which is no device. Choose auto"),
        ("cuda:x", 1, "which is no device"),
        ("", 1, "which is no device"),
        ("cuda", 0, "finds 0 CUDA devices on this machine. Choose auto"),
        ("cuda:2", 2, "finds 2 CUDA devices on this machine. Choose cuda:0 to cuda:1"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(choosing: pytest.MonkeyPatch, wish: str, count: int, words: str) -> None:
    pretend(choosing, wish, count)
    with pytest.raises(BadChoice, match=words):
        device.chosen()


def test_a_gpu_that_does_not_even_start_is_left_at_once(choosing: pytest.MonkeyPatch) -> None:
    def broken(_: torch.device) -> str:
        raise RuntimeError("CUDA unknown error - this may be due to an incorrectly set up environment")

    pretend(choosing, "auto", 1)
    choosing.setattr(torch.cuda, "get_device_name", broken)
    assert device.chosen().dead and device.chosen().serving == CPU
    assert status().notices == ("The GPU cuda:0 has failed; the CPU computes until relviz is started again.",)


def pretend(patch: pytest.MonkeyPatch, wish: str | None, count: int) -> None:
    patch.setattr(torch.cuda, "is_available", lambda: count > 0)
    patch.setattr(torch.cuda, "device_count", lambda: count)
    patch.setattr(torch.cuda, "get_device_name", str)
    if wish is not None:
        patch.setenv("RELVIZ_DEVICE", wish)


def test_the_status_of_a_cpu_is_this_process_in_this_machine(on_cpu: Device) -> None:
    before = status()
    held = torch.ones(50 * 2**20)  # 200 MiB
    after = status()
    assert held.nbytes * 0.9 < after.used_bytes - before.used_bytes < held.nbytes * 1.5
    assert (after.name, after.kind, after.dead, after.notices) == ("CPU, 2 threads", "cpu", False, ())
    assert after.used_bytes < after.total_bytes == before.total_bytes


def test_the_status_of_a_gpu_is_its_own_memory(gpu: Device) -> None:
    assert status() == device.DeviceStatus("NVIDIA Pretence", "cuda", 70, 100, False, ())
