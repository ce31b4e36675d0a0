import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from relviz import settings
from relviz.data.catalogue import load_dataset
from relviz.encoding import cache, cache_entry, spaces
from relviz.encoding.memory import Kept
from relviz.models.catalogue import find

KEY = cache.cache_key("test", model="a", count=3)
ONES = {"x": torch.ones(250)}  # 1,000 bytes of numbers


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    return tmp_path / "relviz-results"


def key(i: int) -> str:
    return cache.cache_key("test", i=i)


def size_of_an_entry(folder: Path) -> int:
    cache.write(KEY, ONES)
    size = (folder / f"{KEY}.safetensors").stat().st_size
    cache.clear()
    return size


def use(folder: Path, i: int, *, second: int) -> None:
    os.utime(folder / f"{key(i)}.safetensors", (second, second))


def kept(count: int) -> list[int]:
    return [i for i in range(count) if cache.read(key(i)) is not None]


def test_arrays_and_facts_come_back() -> None:
    assert cache.read(KEY) is None
    arrays = {
        "floats": torch.arange(6.0).view(2, 3),
        "turned": torch.arange(6).view(2, 3).T,
        "truths": torch.tensor([True, False]),
        "one": torch.tensor(0.1, dtype=torch.float64),
        "none": torch.empty(0, 4, dtype=torch.bfloat16),
    }
    facts = {"words": ['"quoted"', "0" * 64, '"' + "0" * 64 + '"', "žluť 🦓"], "numbers": [1, 1.0, 0.1, None, True]}
    cache.write(KEY, arrays, facts)
    found = cache.read(KEY)
    assert found is not None and found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].equal(array)
    assert found.facts == facts and [type(number) for number in found.facts["numbers"][:2]] == [int, float]


def test_tensors_that_share_memory_are_stored_apart() -> None:
    whole = torch.arange(10)
    cache.write(KEY, {"same": whole, "again": whole, "half": whole[5:]})
    found = cache.read(KEY)
    assert found is not None and found["again"].equal(whole) and found["half"].equal(whole[5:])


def test_no_arrays_are_an_entry_too() -> None:
    cache.write(KEY, {}, ["only facts"])
    found = cache.read(KEY)
    assert found == {} and found.facts == ["only facts"]


@pytest.mark.parametrize("change", [{"model": "b"}, {"count": 4}, {"extra": True}])
def test_any_other_ingredient_is_another_key(change: dict[str, str | int | bool]) -> None:
    assert cache.cache_key("test", **{"model": "a", "count": 3, **change}) != KEY
    assert cache.cache_key("other", model="a", count=3) != KEY


def test_a_kind_is_a_word() -> None:
    with pytest.raises(ValueError, match=r"not '\.\./up'"):
        cache.cache_key("../up")


def test_a_new_version_reads_nothing_of_an_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write(KEY, ONES)
    monkeypatch.setattr(cache_entry, "_VERSION", 10**6)
    assert cache.cache_key("test", model="a", count=3) != KEY
    assert cache.read(KEY) is None


def test_only_the_owner_may_enter(folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder.mkdir(mode=0o755)
    cache.write(KEY, ONES)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(next(folder.iterdir()).stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755  # the folder that the user named is the user's


def test_what_was_used_longest_ago_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CACHE_BYTES", 3 * size_of_an_entry(folder) + 100)
    for i in range(3):
        cache.write(key(i), ONES)
        use(folder, i, second=1000 + i)
    assert cache.read(key(0)) is not None  # used now
    cache.write(key(3), ONES)
    assert kept(4) == [0, 2, 3]


def test_a_smaller_cap_holds_after_the_next_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = size_of_an_entry(folder)
    for i in range(5):
        cache.write(key(i), ONES)
        use(folder, i, second=1000 - i)
    monkeypatch.setattr(settings, "CACHE_BYTES", 2 * size + 100)
    cache.sweep()
    assert kept(5) == [0, 1]


def test_a_result_larger_than_the_cap_displaces_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "CACHE_BYTES", 2 * size_of_an_entry(folder))
    cache.write(key(0), ONES)
    cache.write(key(1), {"x": torch.ones(1000)})
    assert kept(2) == [0]
    assert "larger than the whole cache" in caplog.text


def test_a_start_sweeps_what_does_not_belong(folder: Path) -> None:
    cache.write(KEY, ONES)
    raw = (folder / f"{KEY}.safetensors").read_bytes()
    strange = {
        "abandoned.tmp": b"half",
        f"{key(0)}.safetensors": raw,  # of another name
        f"{key(1)}.safetensors": raw[:-1],
        f"{key(2)}.safetensors": b"",
        "foreign.safetensors": b"\x02\0\0\0\0\0\0\0{}",
    }
    for name, content in strange.items():
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("mine")
    cache.sweep()
    assert {path.name for path in folder.iterdir()} == {f"{KEY}.safetensors", "notes.txt"}
    assert cache.read(KEY) is not None


def test_a_sweep_leaves_what_is_being_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.replace

    def swept_in_between(self: Path, target: Path) -> Path:
        cache.sweep()
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", swept_in_between)
    cache.write(KEY, ONES)
    assert cache.read(KEY) is not None


def test_a_temporary_file_swept_before_it_is_locked_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, swept = cache.fcntl.flock, []

    def swept_first(file: object, how: int) -> None:
        if not swept:
            swept.extend(folder.glob("*.tmp"))
            swept[0].unlink()
        lock(file, how)

    monkeypatch.setattr(cache.fcntl, "flock", swept_first)
    cache.write(KEY, ONES)
    assert len(swept) == 1 and cache.read(KEY) is not None


def test_info_counts_by_kind(folder: Path) -> None:
    assert cache.info() == cache.CacheInfo(str(folder), 0, 0, settings.CACHE_BYTES, {}, None)
    for i in range(3):
        cache.write(key(i), ONES)
    cache.write(cache.cache_key("big", i=0), {"x": torch.ones(10_000)})
    found = cache.info()
    assert found.entries == 4 and list(found.kinds) == ["big", "test"] and found.kinds["test"].entries == 3
    assert found.bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert found.bytes == sum(share.bytes for share in found.kinds.values())


def test_clear_leaves_nothing(folder: Path) -> None:
    cache.write(KEY, ONES)
    (folder / "abandoned.tmp").touch()
    cache.clear()
    assert list(folder.iterdir()) == [] and cache.read(KEY) is None


@pytest.mark.parametrize("act", [cache.info, cache.clear, cache.sweep])
def test_an_empty_place_is_no_trouble(act: Callable[[], object], caplog: pytest.LogCaptureFixture) -> None:
    act()
    assert caplog.text == ""


def test_a_read_failure_that_is_not_the_entry_s_fault_keeps_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write(KEY, ONES)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files")))
        assert cache.read(KEY) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert cache.read(KEY) is not None


def test_looking_at_the_cache_needs_no_torch() -> None:
    code = "import sys; from relviz.encoding import cache; cache.sweep(); cache.info(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_cached_space_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "_spaces", Kept(0, len))
    first = spaces.space_of(find("digits-mlp-s0"), load_dataset("digits"), lambda *_: None)
    monkeypatch.setattr(spaces, "_spaces", Kept(0, len))
    monkeypatch.setattr(spaces, "_encode", lambda *_: pytest.fail("encoded twice"))
    assert spaces.space_of(find("digits-mlp-s0"), load_dataset("digits"), lambda *_: None).equal(first)
