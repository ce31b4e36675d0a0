from pathlib import Path

import pytest
import torch

from relviz import settings
from relviz.service import cache, spaces
from relviz.service.run import silent

KEY = cache.cache_key("test", model="a", count=3)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_arrays_come_back(empty_cache: Path) -> None:
    assert cache.read(KEY) is None
    cache.write(KEY, {"x": torch.arange(6.0).view(2, 3)})
    found = cache.read(KEY)
    assert found is not None and found["x"].equal(torch.arange(6.0).view(2, 3))


@pytest.mark.parametrize("change", [{"model": "b"}, {"count": 4}, {"extra": True}])
def test_any_other_ingredient_is_another_key(change: dict[str, str | int | bool]) -> None:
    assert cache.cache_key("test", **{"model": "a", "count": 3, **change}) != KEY
    assert cache.cache_key("other", model="a", count=3) != KEY


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xff" * 100])
def test_a_damaged_entry_is_a_miss(empty_cache: Path, damage: bytes) -> None:
    cache.write(KEY, {"x": torch.ones(3)})
    (empty_cache / f"{KEY}.safetensors").write_bytes(damage)
    assert cache.read(KEY) is None


def test_a_folder_that_cannot_be_written_costs_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path / "file" / "cache"))
    cache.write(KEY, {"x": torch.ones(3)})
    assert cache.read(KEY) is None


def test_a_cached_space_is_not_encoded_again(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "_spaces", {})
    first = spaces.space_of("digits-mlp-s0", "digits", silent)
    monkeypatch.setattr(spaces, "_spaces", {})
    monkeypatch.setattr(spaces, "_encode", lambda *_: pytest.fail("encoded twice"))
    assert spaces.space_of("digits-mlp-s0", "digits", silent).equal(first)
    assert settings.cache_dir() == empty_cache
