"""A server answers for what files hold now: real workers, and files that change under the names asked about."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from relviz.jobs import answers
from relviz.jobs import broker as jobs
from relviz.jobs.broker import Broker
from relviz.jobs.engine import LocalEngine
from relviz.jobs.job import Job
from relviz.models.catalogue import find
from relviz.requests import Anchors, Compare, Maps
from relviz.usecases.table import run
from tests.jobs.engines import FakeEngine
from tests.models import networks

SHELF = """
[models.mine]
builder = "tests.models.networks:classifier"
size = 8
checkpoint = "{checkpoint}.safetensors"

[models.matrix]
source = "array:matrix.npz#x"

[data.images]
path = "images.npz"

[data.table]
path = "table.jsonl"

[data.pictures]
path = "pictures"
"""
PAIR = ("digits-mlp-s0", "digits-mlp-s1")
COUNT = 60


@pytest.fixture(scope="module")
def folder(own_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELVIZ_SHELF", str(made / "relviz.toml"))
        yield made


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Broker]:
    with contextlib.closing(Broker(LocalEngine(), answers=answers)) as made:
        yield made


def shelf(folder: Path, checkpoint: str = "first") -> None:
    (folder / "relviz.toml").write_text(SHELF.format(checkpoint=checkpoint))


def weights(path: Path, seed: int) -> None:
    torch.manual_seed(seed)
    save_file(networks.classifier().state_dict(), path)


def checkpoint(folder: Path, seed: int) -> Compare:
    weights(folder / "first.safetensors", seed)
    return Compare("mine", PAIR[0], "digits", Anchors(20), measures=("cka",))


def pointer(folder: Path, seed: int) -> Compare:
    for number in (1, 2):
        weights(folder / f"{number}.safetensors", 10 + number)
    shelf(folder, str(seed))
    return Compare("mine", PAIR[0], "digits", Anchors(20), measures=("cka",))


def array(folder: Path, seed: int) -> Compare:
    np.savez(folder / "matrix.npz", x=np.random.default_rng(seed).normal(size=(1797, 6)).astype(np.float32))
    return Compare("matrix", PAIR[0], "digits", Anchors(20), measures=("cka",))


def npz(folder: Path, seed: int, count: int = COUNT) -> Compare:
    draw = np.random.default_rng(seed)
    np.savez(folder / "images.npz", images=draw.integers(0, 255, (count, 8, 8), np.uint8), y=np.arange(count) % 3)
    return Compare(*PAIR, "images", Anchors(20), k=3, measures=("cka",))


def fewer(folder: Path, seed: int) -> Compare:
    return npz(folder, seed, COUNT - 10 * seed)


def pictures(folder: Path, seed: int) -> Compare:
    draw = np.random.default_rng(seed)
    for row in range(COUNT):
        path = folder / "pictures" / f"class {row % 2}" / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (8, 8), np.uint8)).save(path)
    return Compare(*PAIR, "pictures", Anchors(20), k=3, measures=("cka",))


def table(folder: Path, seed: int) -> Compare:
    vectors = np.random.default_rng(seed).normal(size=(COUNT, 4)).round(3).tolist()
    rows = [{"embedding": vector, "label": "ab"[row % 2]} for row, vector in enumerate(vectors)]
    (folder / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    np.save(folder / "beside.npy", np.random.default_rng(0).normal(size=(COUNT, 6)).astype(np.float32))
    pair = (f"array:{folder / name}" for name in ("table.jsonl", "beside.npy"))
    return Compare(*pair, "table", Anchors(20), k=3, measures=("cka",))


def computed(broker: Broker, request: Any) -> Any:
    """What a page gets, which asks again where a file changed meanwhile."""
    for _ in range(3):
        job = broker.submit(request, visitor="a")
        assert job.finished(within=60)
        if job.state != "cancelled":
            return job.answer()
    raise AssertionError("never answered")


@pytest.mark.parametrize(
    "kind", [checkpoint, pointer, array, npz, fewer, pictures, table], ids=lambda kind: kind.__name__
)
def test_an_answer_follows_the_files(kind: Callable[[Path, int], Compare], folder: Path, broker: Broker) -> None:
    shelf(folder)
    weights(folder / "first.safetensors", 0)
    seen = []
    for seed in (1, 2, 1):
        request = kind(folder, seed)
        time.sleep(2 * jobs._GLANCE)
        found = computed(broker, request)
        assert (found.absolute, found.relative) == (run(request).absolute, run(request).relative)
        seen.append((found.absolute, found.relative))
    assert seen[0] == seen[2] != seen[1]


def test_an_answer_computed_while_a_file_changed_is_not_kept(folder: Path) -> None:
    shelf(folder)
    request, engine = checkpoint(folder, 21), FakeEngine()
    with contextlib.closing(Broker(engine, answers=answers)) as broker:
        job = broker.submit(request, visitor="a")
        before = answers.key(request)
        checkpoint(folder, 22)
        engine.calls[0].answer(run(request))
        assert job.state == "cancelled" and answers.read(request, before) is None
        time.sleep(2 * jobs._GLANCE)
        again = broker.submit(request, visitor="a")
        assert again.key == answers.key(request) != before
        engine.calls[1].answer(run(request))
        assert again.state == "done" and answers.read(request, again.key) is not None


def test_jobs_of_two_contents_of_one_name_are_two(folder: Path) -> None:
    shelf(folder)
    request, engine = checkpoint(folder, 3), FakeEngine()
    with contextlib.closing(Broker(engine, answers=answers)) as broker:
        first = broker.submit(request, visitor="a")
        checkpoint(folder, 4)
        time.sleep(2 * jobs._GLANCE)
        second = broker.submit(request, visitor="b")
        assert second is not first and first.key != second.key


def test_many_who_look_cost_one_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf(folder)
    request, looked = checkpoint(folder, 5), []
    monkeypatch.setattr(answers, "find", lambda name: looked.append(name) or find(name))
    with contextlib.closing(Broker(FakeEngine(), answers=answers)) as broker:
        broker.key(request, age=0.0)
        first = len(looked)
        for _ in range(100):
            broker.key(request, age=10.0)
        assert len(looked) == first == 2


def test_a_file_that_changes_while_workers_compute_ends_in_the_new_answer(folder: Path, broker: Broker) -> None:
    shelf(folder)
    request = Maps(*PAIR, "images", Anchors(20))
    npz(folder, 1)
    ended = threading.Event()

    def change() -> None:
        for seed in range(2, 8):
            npz(folder, seed, COUNT + 10 * seed)
            time.sleep(0.05)
        ended.set()

    threading.Thread(target=change).start()
    found: list[Job] = []
    while not ended.is_set() or found[-1].state == "cancelled":
        found.append(broker.submit(request, visitor="a"))
        assert found[-1].finished(within=60)
    time.sleep(2 * jobs._GLANCE)
    rows = len(computed(broker, request).absolute_a.view)
    assert rows == len(run(request).absolute_a.view) == (COUNT + 70) // 5
