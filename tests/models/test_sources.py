"""Arrays, bundled models and pretrained ones under one roof."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from relviz.cli import main
from relviz.data.catalogue import load_dataset
from relviz.errors import BadChoice, BadFile, MissingData, MissingPackage, RelvizError, UnknownName
from relviz.models.catalogue import find, model_from, names_for
from relviz.models.preprocessing import Pictures
from relviz.models.shelf import load_model, shelf
from relviz.shelf_entries import ModelEntry


def test_bundled_models_keep_fingerprint_and_vectors() -> None:
    card, data = shelf()["digits-cnn-s0"], load_dataset("digits")
    model = find("digits-cnn-s0")
    assert model.fingerprint == card.sha256 and model.width == card.width
    with torch.inference_mode():
        expected = load_model(card).encode(data.inputs()[:9])
    assert model.load().encode(data, slice(0, 9)).equal(expected)
    assert set(names_for(data)) == {"digits-mlp-s0", "digits-mlp-s1", "digits-cnn-s0", "digits-cnn-s1"}
    with pytest.raises(BadChoice, match="reads 8 x 8 images, and those of 'fashion-mnist' are 28 x 28"):
        model.check(load_dataset("fashion-mnist"))


def test_arrays_are_matched_by_ids(tmp_path: Path) -> None:
    values = np.arange(20, dtype=np.float32).reshape(10, 2)
    np.savez(tmp_path / "a.npz", e_train=values[:6], e_test=values[6:], y_train=np.arange(6) % 2, y_test=[0, 1, 0, 1])
    data = load_dataset(f"{tmp_path}/a.npz#key=e&labels=y")
    model = find(f"array:{tmp_path}/a.npz#e")
    assert model.width == 2 and model.load().encode(data, slice(5, 8)).tolist() == values[5:8].tolist()
    with pytest.raises(BadChoice, match="has 10 rows and 'digits' 1797, and neither names them"):
        model.check(load_dataset("digits"))
    named = ["--labels", f"{tmp_path}/a.npz#y", "--methods", "absolute", "relative-cosine"]
    assert main(["stitch", *[f"array:{tmp_path}/a.npz#e"] * 2, "--anchors", "4", *named]) == 0
    other = tmp_path / "b.npz"
    np.savez(other, X=np.zeros((4, 8, 8), np.uint8))
    for name, kind in ((f"array:{other}", BadFile), (f"array:{tmp_path}/a.npz#f", UnknownName)):
        with pytest.raises(kind):
            find(name)


@pytest.mark.parametrize(
    ("side", "channels", "reads", "shape"),
    [
        (28, 1, Pictures(channels=3), (3, 28, 28)),
        (28, 1, Pictures(channels=1, size=32), (1, 32, 32)),
        (32, 3, Pictures(size=24, resize=30), (3, 24, 24)),
        (32, 3, Pictures(size=40, resize=20), (3, 40, 40)),
    ],
)
def test_images_become_what_the_network_reads(
    side: int, channels: int, reads: Pictures, shape: tuple[int, ...]
) -> None:
    images = np.full((2, side, side, 3) if channels == 3 else (2, side, side), 255, np.uint8)
    found = reads(images)
    assert found.shape[1:] == shape and float(found.max()) == pytest.approx(1)


def test_scaling_is_that_of_the_formula() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3)).astype(np.uint8)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    expected = (image[0] / 255 - mean) / std
    found = Pictures(mean=mean, std=std)(image)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("torchvision:resnet18", "torchvision"),
        ("timm:resnet18", "timm"),
        ("efficientnet-lite:0", "efficientnet_lite_pytorch"),
    ],
)
def test_a_missing_package_or_missing_weights_say_what_to_do(name: str, module: str) -> None:
    installed = all(importlib.util.find_spec(part) for part in (module, "torchvision"))
    if installed and name.startswith("efficientnet"):
        assert find(name).width == 1280
        return
    with pytest.raises(
        MissingData if installed else MissingPackage, match="RELVIZ_DOWNLOAD=1" if installed else "pip install"
    ):
        find(name)


def test_unknown_sources_and_folders(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no model called 'nowhere:x'"):
        find("nowhere:x")
    with pytest.raises(MissingData, match="RELVIZ_DOWNLOAD=1"):
        find("hf:nobody/nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadFile, match="is no folder of a text encoder"):
        find(f"hf:{tmp_path}")
    with pytest.raises(RelvizError):
        model_from("x", ModelEntry(source="nowhere:x"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny BERT with a vocabulary of words, as sentence-transformers writes it."""
    import transformers
    from safetensors.torch import save_file

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cats", "dogs", "sleep", "run", "one", "what", "is"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    config.save_pretrained(tmp_path)
    torch.manual_seed(0)
    network = transformers.BertForSequenceClassification(config)
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, tmp_path / "model.safetensors")
    return tmp_path


def pooled_by(folder: Path, **modes: bool) -> None:
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{k}": v for k, v in modes.items()}))
    parts = [{"path": "", "type": "s.Transformer"}, {"path": "1_Pooling", "type": "s.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(parts))


def test_text_encoders_pool_as_their_folder_says(folder: Path, tmp_path: Path) -> None:
    texts = tmp_path / "t.csv"
    texts.write_text("text,label\n" + "\n".join(f"cats sleep{' dogs run' * (i % 3)},{i % 2}" for i in range(12)))
    data = load_dataset(str(texts))
    plain = find(f"hf:{folder}")
    assert plain.modality == "text" and plain.width == 8 and "relviz's default" in plain.origin
    together = plain.load().encode(data, slice(0, 6))
    alone = torch.cat([plain.load().encode(data, slice(i, i + 1)) for i in range(6)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)  # padding changes nothing
    pooled_by(folder, cls_token=True, mean_tokens=False)
    first = model_from("cls", ModelEntry(source=f"hf:{folder}"))
    assert "cls of its tokens (as its folder says)" in first.origin and first.fingerprint != plain.fingerprint
    assert not torch.allclose(first.load().encode(data, slice(0, 6)), together, atol=1e-3)
    pooled_by(folder, max_tokens=True)
    with pytest.raises(BadFile, match="pooling_mode_max_tokens, which relviz does not know"):
        model_from("max", ModelEntry(source=f"hf:{folder}"))
