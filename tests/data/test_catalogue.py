import gzip
from pathlib import Path

import numpy as np
import pytest

from relviz import settings
from relviz.data import fashion_mnist
from relviz.data.catalogue import DATASETS, load_dataset, load_training
from relviz.errors import DamagedAsset, MissingData, UnknownName


@pytest.mark.parametrize(("name", "n", "gallery"), [("fashion-mnist", 10_000, 8_000), ("digits", 1_797, 1_297)])
def test_sizes_split_and_labels(name: str, n: int, gallery: int) -> None:
    data = load_dataset(name)
    assert (len(data), data.gallery_size) == (n, gallery)
    assert set(data.labels.tolist()) == set(range(len(data.class_names)))
    assert len(data.labels[data.gallery]) + len(data.labels[data.held_out]) == n
    inputs = data.inputs()
    assert inputs.shape == (n, 1, data.side, data.side) and 0 <= inputs.min() and inputs.max() == 1


def test_fingerprints_differ_and_follow_the_content() -> None:
    assert len({load_dataset(name).fingerprint for name in DATASETS}) == len(DATASETS)


def test_chance_is_the_commonest_held_out_class() -> None:
    data = load_dataset("fashion-mnist")
    assert data.chance == np.bincount(data.labels[8000:]).max() / 2000


def test_an_unknown_data_set_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'digits'"):
        load_dataset("digit")


def test_a_damaged_bundled_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    monkeypatch.setattr(settings, "ASSETS", tmp_path)
    with pytest.raises(DamagedAsset, match=r"t10k-images-idx3-ubyte.gz is missing"):
        fashion_mnist.load()
    (tmp_path / "fashion-mnist").mkdir()
    (tmp_path / "fashion-mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"not it")
    with pytest.raises(DamagedAsset, match=r"t10k-images-idx3-ubyte.gz is damaged"):
        fashion_mnist.load()


def test_training_images_are_found_by_setting_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "none")
    with pytest.raises(MissingData, match="dataset-fashion-mnist"):
        load_training("fashion-mnist")
    images, labels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8), np.array([3, 4], np.uint8)
    for name, raw, axes in (("images-idx3", images, 3), ("labels-idx1", labels, 1)):
        sizes = (2, 28, 28)[:axes]
        header = bytes([0, 0, 8, axes]) + b"".join(size.to_bytes(4, "big") for size in sizes)
        (tmp_path / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(header + raw.tobytes()))
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    found_images, found_labels = load_training("fashion-mnist")
    assert found_images.shape == (2, 28, 28) and found_images.reshape(-1).tolist() == images.tolist()
    assert found_labels.tolist() == [3, 4]
