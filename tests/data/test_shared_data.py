"""The real files of the shared data folder are read as its README describes them."""

from pathlib import Path

import numpy as np
import pytest

from relviz.data.catalogue import load_dataset
from relviz.data.paired import pair

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the shared data is not at {FOLDER}")


@pytest.mark.parametrize(
    ("file", "modality", "shape", "parts", "classes"),
    [
        ("cifar10_lossless.npz", "image", (32, 32, 3), (4000, 1000), 10),
        ("text/trec.csv", "text", (), (5452, 500), 6),
        ("text/ag_news_4000.csv", "text", (), (3000, 1000), 4),
        ("planetoid_cora/cora.npz", "graph", (1433,), (1708, 1000), 7),
        ("embeddings/cifar10_imagenet_encoders.npz#vgg16", "vector", (512,), (700, 700), 10),
        ("embeddings/trec_text_encoders.npz#minilm6", "vector", (384,), (1500, 500), 6),
        ("embeddings/trec_text_encoders.npz#text", "text", (), (1500, 500), 6),
        ("embeddings/words5000.npz#spacy300", "vector", (300,), (4000, 1000), 0),
    ],
)
def test_files(file: str, modality: str, shape: tuple[int, ...], parts: tuple[int, int], classes: int) -> None:
    data = load_dataset(str(FOLDER / file))
    assert (data.modality, data.shape, len(data.class_names)) == (modality, shape, classes)
    assert (data.gallery_size, len(data) - data.gallery_size) == parts


def test_named_sets_are_found_in_a_folder_of_such_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_DATA", str(FOLDER / "text"))
    data = load_dataset("trec")
    assert data.fingerprint == load_dataset(str(FOLDER / "text" / "trec.csv")).fingerprint
    assert data.class_names[3] == "human" and data.title == "TREC questions"


def test_translations_pair_line_by_line() -> None:
    names = [str(FOLDER / "text" / f"stsb-{code}-test.csv#header=no&text=1") for code in ("en", "de")]
    paired = pair(*map(load_dataset, names))
    assert len(paired) == 1379 and paired.unpaired == (0, 0)
    assert paired.a.samples[paired.rows_a[0]] == "A girl is styling her hair."  # type: ignore[call-overload,index]
    assert paired.b.samples[paired.rows_b[0]] == "Ein Mädchen frisiert ihr Haar."  # type: ignore[call-overload,index]


def test_part_of_one_language_pairs_with_the_whole_of_another() -> None:
    names = [str(FOLDER / "text" / f"stsb-{code}-test.csv#header=no&text=1") for code in ("en", "fr")]
    paired = pair(load_dataset(f"{names[0]}:n=300,seed=4"), load_dataset(names[1]))
    assert len(paired) == 300 and paired.unpaired == (0, 1079)
    assert [paired.a.ids[i] for i in paired.rows_a] == [paired.b.ids[i] for i in paired.rows_b]
    assert np.array_equal(paired.rows_a, np.arange(300))
