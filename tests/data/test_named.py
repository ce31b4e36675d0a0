"""Sets by name: found locally first, downloaded only when the user says so."""

import importlib.util
import shutil
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relviz import packages
from relviz.data import catalogue
from relviz.data.catalogue import CATALOGUE, load_dataset
from relviz.errors import BadFile, MissingData, MissingPackage, UnknownName

RAW = Path(__file__).resolve().parents[3] / "shared" / "data" / "planetoid_cora"
TEXTS = {"train": ["a", "b"] * 6, "test": ["c", "d"] * 3}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an empty cache of `datasets`."""
    import datasets

    monkeypatch.setenv("RELVIZ_DATA", str(tmp_path))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hub"))
    return tmp_path


def in_hub_cache(root: Path, folder: str, *, labels: tuple[int, ...] = (0, 1)) -> None:
    """A set as `datasets` leaves it on disk after a download."""
    import datasets
    from datasets.arrow_writer import ArrowWriter

    where = root / "hub" / folder / "default" / "0.0.0" / "1234"
    where.mkdir(parents=True)
    name = folder.split("___")[-1]
    kinds = datasets.ClassLabel(names=["World", "Sports"])
    features = datasets.Features({"text": datasets.Value("string"), "label": kinds})
    splits = datasets.SplitDict(dataset_name=name)
    for part, texts in TEXTS.items():
        with ArrowWriter(path=str(where / f"{name}-{part}.arrow"), features=features) as writer:
            for i, text in enumerate(texts):
                writer.write({"text": text, "label": labels[i % 2]})
            writer.finalize()
        splits.add(datasets.SplitInfo(part, num_examples=len(texts), num_bytes=1, dataset_name=name))
    facts: dict[str, Any] = {"features": features, "dataset_name": name, "config_name": "default", "version": "0.0.0"}
    datasets.DatasetInfo(builder_name="parquet", splits=splits, **facts).write_to_directory(str(where))


def test_a_text_set_comes_from_the_hub_s_cache_without_a_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a network was asked"))
    with pytest.raises(MissingData, match=r"'ag_news' is not on this machine.*ag_news.csv.*RELVIZ_DOWNLOAD=1"):
        load_dataset("ag_news")
    in_hub_cache(home, "fancyzhx___ag_news")
    data = load_dataset("ag_news")
    assert data.samples == (*TEXTS["train"], *TEXTS["test"]) and data.gallery_size == 12
    assert data.class_names == ("World", "Sports") and (data.name, data.title) == ("ag_news", "AG News")


def test_a_mislabelled_hub_set_is_refused(home: Path) -> None:
    in_hub_cache(home, "fancyzhx___ag_news", labels=(0, -1))
    with pytest.raises(BadFile, match="ag_news has the label -1 at row 1"):
        load_dataset("ag_news")


def test_a_download_that_fails_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    asked = []

    def refuse(*what: Any, **more: Any) -> None:
        asked.append((what, more))
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(MissingData):
        load_dataset("trec")
    assert not asked
    with pytest.raises(MissingData, match=r"could not be downloaded \(no network at all\). Bring it as a file"):
        load_dataset("trec", download=True)
    assert asked == [(("CogComp/trec", "default"), {"revision": "refs/convert/parquet"})]


def test_a_file_of_a_set_s_name_in_the_data_folder_comes_first(home: Path) -> None:
    in_hub_cache(home, "fancyzhx___ag_news")
    (home / "ag_news.csv").write_text("text,label\n" + "mine,x\n" * 10)
    data = load_dataset("ag_news")
    assert data.samples == ("mine",) * 10 and data.title == "AG News" and data.licence == "for research, not commercial"


@pytest.mark.parametrize("name", [name for name, source in CATALOGUE.items() if not source.bundled])
def test_what_is_not_here_says_what_to_do(home: Path, name: str) -> None:
    with pytest.raises(MissingData) as refused:
        load_dataset(name)
    assert "not on this machine" in refused.value.sentence and len(refused.value.hint) > 20


@pytest.mark.parametrize("missing", ["datasets", "torch_geometric.data"])
def test_missing_packages_are_named_with_the_command(home: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    found = packages.importlib.import_module

    def without(module: str) -> Any:
        if module.startswith(missing.split(".")[0]):
            raise ModuleNotFoundError(module)
        return found(module)

    monkeypatch.setattr(packages.importlib, "import_module", without)
    name = "imdb" if missing == "datasets" else "cora"
    with pytest.raises(MissingPackage, match=f"'pip install {missing.split('.')[0]}'"):
        load_dataset(name, download=True)


def test_names_and_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no data set or file called 'cifar-10'. Did you mean 'cifar10'"):
        load_dataset("cifar-10")
    with pytest.raises(BadFile, match=r"There is no file .*gone.csv"):
        load_dataset(str(tmp_path / "gone.csv"))
    (tmp_path / "a.docx").write_text("a")
    with pytest.raises(BadFile, match=r"Files like .*a.docx are not read. Bring one of .csv"):
        load_dataset(str(tmp_path / "a.docx"))
    with pytest.raises(BadFile, match="cannot be read"):
        load_dataset("x" * 5000 + ".csv")


def planetoid(root: Path) -> Path:
    """Cora's raw files in torch_geometric's layout."""
    folder = root / "Cora" / "raw"
    folder.mkdir(parents=True)
    for file in RAW.glob("ind.cora.*"):
        shutil.copyfile(file, folder / file.name)
    return folder


needs_cora = pytest.mark.skipif(not RAW.is_dir(), reason=f"Planetoid's files are not at {RAW}")


@needs_cora
def test_cora_s_raw_files_and_its_npz_hold_the_same_graph(home: Path) -> None:
    planetoid(home)
    raw, array = load_dataset("cora"), load_dataset(str(RAW / "cora.npz"))
    assert (len(raw), raw.gallery_size, raw.shape) == (2708, 1708, (1433,)) and raw.title.startswith("Cora")
    sizes = dict(zip(raw.class_names, np.bincount(raw.label_tensor()).tolist(), strict=True))
    assert sizes["neural networks"] == 818 and sizes["rule learning"] == 180  # as Sen et al. (2008) count them
    a, b = raw.samples, array.samples
    assert np.array_equal(a.features, b.features) and np.array_equal(a.parts, b.parts)  # type: ignore[union-attr]
    assert np.bincount(a.parts).tolist() == [140, 500, 1000, 1068]  # type: ignore[union-attr]
    edges = [{tuple(sorted(edge)) for edge in graph.edges.tolist()} for graph in (a, b)]  # type: ignore[union-attr]
    assert edges[0] == edges[1] and len(edges[0]) == 5278
    assert raw.labels is not None and np.array_equal(raw.labels, array.labels) and raw.ids == array.ids


@needs_cora
@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("graph", b"", "ind.cora.graph is empty"),
        ("allx", b"\x80\x02garbage", "ind.cora.allx is damaged"),
        ("test.index", b"one\n", "do not fit each other"),
        ("test.index", b"5\n7\n", "do not fit each other"),
        ("ally", "ty", "do not fit each other"),
    ],
)
def test_broken_raw_graphs_are_refused(home: Path, part: str, content: Any, said: str) -> None:
    folder = planetoid(home)
    file = folder / f"ind.cora.{part}"
    file.write_bytes((folder / f"ind.cora.{content}").read_bytes() if isinstance(content, str) else content)
    with pytest.raises(BadFile, match=said):
        load_dataset("cora")


@needs_cora
def test_nodes_that_the_test_files_pass_over_are_left_out(home: Path) -> None:
    folder = planetoid(home)
    file = folder / "ind.cora.test.index"
    file.write_text(file.read_text().replace("2707\n", "2710\n"))  # 2707 has neither features nor label now
    data = load_dataset("cora")
    assert len(data) == 2708 and "2707" not in data.ids and data.ids[-1] == "2710"


@needs_cora
def test_graphs_are_downloaded_only_when_allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download_url(url: str, folder: str) -> None:
        asked.append(url)
        Path(folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(RAW / url.rsplit("/", 1)[1], Path(folder) / url.rsplit("/", 1)[1])

    def cut(url: str, folder: str) -> None:
        download_url(url, folder)
        if url.endswith("allx"):
            raise OSError("cut")

    geometric = types.SimpleNamespace(download_url=cut, Planetoid=types.SimpleNamespace(url="far"))
    monkeypatch.setattr("relviz.data.graphs.needed", lambda *_, **__: geometric)
    with pytest.raises(MissingData):
        load_dataset("cora")
    assert not asked
    raw = home / "Cora" / "raw"
    with pytest.raises(MissingData, match=r"could not be downloaded \(cut\)"):
        load_dataset("cora", download=True)
    assert not list(raw.iterdir())
    monkeypatch.setattr(geometric, "download_url", download_url)
    asked.clear()
    assert len(load_dataset("cora", download=True)) == 2708
    assert len(list(raw.iterdir())) == len(asked) == 8 and asked[0] == "far/ind.cora.x"


def test_all_names_are_loadable_words() -> None:
    assert all(name == name.lower() and not set(name) & set(" /#:") for name in catalogue.CATALOGUE)


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
def test_torchvision_can_be_imported_beside_any_torch() -> None:
    assert "MNIST" in packages.torchvision("datasets", purpose="Tests").__all__
