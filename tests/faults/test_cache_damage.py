"""K2: whatever lies in an entry's place, a read gives the result that was written or nothing, and never fails."""

import json
import os
import random
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from relviz.encoding import cache, cache_entry

KEY, OTHER = (cache.cache_key("test", i=i) for i in range(2))
ARRAYS = {"x": torch.arange(1000.0), "y": torch.arange(5)}
FACTS = {"accuracy": 0.8812, "models": ["a", "b"]}


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    cache.write(KEY, ARRAYS, FACTS)
    return tmp_path / "relviz-results" / f"{KEY}.safetensors"


def found() -> bool:
    """Whether there is an entry; what is there is what was written."""
    entry = cache.read(KEY)
    if entry is None:
        return False
    assert entry.keys() == ARRAYS.keys() and entry.facts == FACTS
    assert all(entry[name].equal(array) for name, array in ARRAYS.items())
    return True


def empty(entry: Path) -> None:
    entry.write_bytes(b"")


def noise(entry: Path) -> None:
    entry.write_bytes(random.Random(0).randbytes(5000))  # noqa: S311


def an_endless_header(entry: Path) -> None:
    entry.write_bytes(b"\xff" * 8 + entry.read_bytes()[8:])


def deep_nesting(entry: Path) -> None:
    header = b"[" * 100_000
    entry.write_bytes(len(header).to_bytes(8, "little") + header)


def foreign(entry: Path) -> None:
    save_file(ARRAYS, entry)


def foreign_with_metadata(entry: Path) -> None:
    save_file(ARRAYS, entry, {"digest": "0" * 64, "facts": json.dumps(FACTS)})


def of_another_key(entry: Path) -> None:
    cache.write(OTHER, ARRAYS, FACTS)
    (entry.parent / f"{OTHER}.safetensors").replace(entry)


def of_another_version(entry: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_entry, "_VERSION", 1)
        cache.write(KEY, ARRAYS, FACTS)


def a_folder(entry: Path) -> None:
    entry.unlink()
    entry.mkdir()


def a_dead_link(entry: Path) -> None:
    entry.unlink()
    entry.symlink_to(entry.parent / "nowhere")


DAMAGES = [empty, noise, an_endless_header, deep_nesting, foreign, foreign_with_metadata]
DAMAGES += [of_another_key, of_another_version, a_folder, a_dead_link]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_entry_is_a_miss_and_then_replaced(
    entry: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    assert found()
    damage(entry)
    assert not found()
    assert len(caplog.records) == (damage is not a_dead_link)  # nothing there is no damage
    assert not entry.exists()
    cache.write(KEY, ARRAYS, FACTS)
    assert found()


def test_a_folder_with_something_in_it_is_left_where_it_is(entry: Path, caplog: pytest.LogCaptureFixture) -> None:
    entry.unlink()
    entry.mkdir()
    (entry / "thesis.txt").write_text("mine")
    assert not found()
    cache.write(KEY, ARRAYS, FACTS)
    cache.sweep()
    assert not found() and (entry / "thesis.txt").read_text() == "mine"
    assert "could not be cached" in caplog.text
    assert list(entry.parent.glob("*.tmp")) == []


def test_an_entry_cut_anywhere_is_a_miss(entry: Path) -> None:
    raw = entry.read_bytes()
    for end in [0, 1, 7, 8, 9, len(raw) // 4, len(raw) // 2, len(raw) - 4000, len(raw) - 8, len(raw) - 1]:
        entry.write_bytes(raw[:end])
        assert not found(), end
        assert not entry.exists()
    entry.write_bytes(raw + b"\0")
    assert not found()


def test_no_flipped_bit_is_read(entry: Path) -> None:
    raw = entry.read_bytes()
    head = 8 + int.from_bytes(raw[:8], "little")
    for place in [*range(head), *range(head, len(raw), 13)]:
        for bit in (0, 5):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            entry.write_bytes(changed)
            assert not found() or place < head  # a header may be spelt otherwise and say the same


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user that file permissions bind: root is bound by none."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_turns_the_cache_off_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("RELVIZ_CACHE", name)
        Path(name).chmod(0o555)
        with without_privileges():
            cache.write(KEY, ARRAYS, FACTS)
            assert not found()
            off = cache.info().off
    assert off is not None and name in off and "Permission denied" in off
    assert "could not be cached" in caplog.text


def test_a_folder_that_can_only_be_read_still_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("RELVIZ_CACHE", name)
        cache.write(KEY, ARRAYS, FACTS)
        results = Path(name, "relviz-results")
        for path, mode in ((Path(name), 0o755), (results, 0o555), (results / f"{KEY}.safetensors", 0o444)):
            path.chmod(mode)
        with without_privileges():
            assert found()
            assert cache.info().off is not None
            cache.sweep()
            assert found()
        results.chmod(0o700)


def test_a_file_in_the_folder_s_place_turns_the_cache_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "file"))
    cache.write(KEY, ARRAYS, FACTS)
    cache.sweep()
    cache.clear()
    assert not found() and "Not a directory" in str(cache.info().off)


def test_a_full_disk_turns_the_cache_off_and_leaves_no_litter(entry: Path, caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        cache.write(OTHER, ARRAYS, FACTS)
        off = cache.info().off
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.read(OTHER) is None and found()
    assert off is not None and "too large" in off
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]
    assert "could not be cached" in caplog.text
    assert cache.info().off is None
