"""Folders of text encoders are read as sentence-transformers reads them: where texts are cut, what is pooled."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor

from relviz.errors import BadFile
from relviz.models.encoder import NetworkEncoder
from relviz.models.model import Model
from relviz.models.reading import model_of
from relviz.models.text import of_hub

WORDS = "[PAD] [UNK] [CLS] [SEP] a long text of many words goes on and until it ends Cats sleep".split()
LONG = "a long text of many words goes on and on until it ends"  # 13 words
TEXTS = [LONG, "Cats sleep"]


def written(folder: Path, kind: str, *, longest: int | None = 64, positions: int = 40, **files: Any) -> Any:
    """A tiny encoder of one of transformers' kinds with a vocabulary of words, and other files beside it."""
    rules = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106 no password
    rules.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"unk_token": "[UNK]", "eos_token": "[SEP]"} | ({} if kind == "gpt2" else {"pad_token": "[PAD]"})
    limit = {} if longest is None else {"model_max_length": longest}
    transformers.PreTrainedTokenizerFast(tokenizer_object=rules, **names, **limit).save_pretrained(folder)
    most = {"d_head": 4, "d_inner": 16} if kind == "xlnet" else {"max_position_embeddings": positions}
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.AutoConfig.for_model(kind, vocab_size=len(WORDS), pad_token_id=0, **most, **sizes)
    torch.manual_seed(0)
    network = transformers.AutoModel.from_config(config).eval()
    network.save_pretrained(folder)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return network


def model(folder: Path) -> Model:
    return model_of("x", of_hub(str(folder), None))


def vectors(found: Model, texts: list[str]) -> Tensor:
    encoder = found.load()
    assert isinstance(encoder, NetworkEncoder)
    reads: Any = encoder.reads
    return encoder.at_nodes(reads.tokens(texts), [encoder.node])[0]


def right(network: Any, texts: list[str], longest: int) -> Tensor:
    """The mean over the tokens of each text alone, cut after so many."""
    rows = [[WORDS.index(word) if word in WORDS else 1 for word in text.split()][:longest] for text in texts]
    with torch.inference_mode():
        return torch.stack([network(torch.tensor([row])).last_hidden_state[0].mean(0) for row in rows])


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("bert", {"longest": 5}, 5),  # the tokeniser's alone
        ("bert", {"longest": 5, "sentence_bert_config": {"module_output_name": "token_embeddings"}}, 5),
        ("bert", {"longest": 5, "sentence_bert_config": {"max_seq_length": 8}}, 8),  # the folder's comes first
        ("bert", {"longest": 64, "sentence_bert_config": {"max_seq_length": 3}}, 3),
        ("bert", {"longest": None, "positions": 7}, 7),
        ("bert", {"longest": 600, "positions": 9, "sentence_bert_config": {"max_seq_length": 10}}, 9),
        ("roberta", {"longest": None, "positions": 7}, 6),  # positions begin after that of the padding, here 0
        ("roberta", {"longest": 6, "sentence_roberta_config": {"max_seq_length": 4}}, 4),
        ("distilbert", {"longest": 6}, 6),
    ],
)
def test_long_texts_are_cut_where_sentence_transformers_cuts_them(
    kind: str, given: dict[str, Any], expected: int, tmp_path: Path
) -> None:
    network = written(tmp_path, kind, **given)
    found = vectors(model(tmp_path), TEXTS)
    torch.testing.assert_close(found, right(network, TEXTS, expected), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found[0], right(network, TEXTS, expected - 1)[0], atol=1e-4)


def test_longer_limits_than_512_are_kept(tmp_path: Path) -> None:
    written(tmp_path, "bert", positions=1000, longest=None, sentence_bert_config={"max_seq_length": 700})
    assert vectors(model(tmp_path), ["long " * 699, "long " * 700, "long " * 701]).shape == (3, 8)
    reads: Any = model(tmp_path).load().reads  # type: ignore[attr-defined]
    assert reads.tokens(["long " * 900])[0].shape == (1, 700)


def test_a_length_that_nothing_names_is_assumed_and_said(tmp_path: Path) -> None:
    written(tmp_path, "xlnet", longest=None)
    found = model(tmp_path)
    assert "are cut after 512 tokens, for its folder names no length;" in found.notes[0]
    reads: Any = found.load().reads  # type: ignore[attr-defined]
    assert reads.tokens(["long " * 900])[0].shape == (1, 512)


PARTS = [{"path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}]
PARTS += [{"path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"}]


@pytest.mark.parametrize(
    "pooling",
    [
        {"embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": True},
        {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
        {"pooling_mode": "cls"},
        {"pooling_mode_cls_token": True},
    ],
)
def test_old_and_new_names_of_poolings_are_known(pooling: dict[str, Any], tmp_path: Path) -> None:
    network = written(tmp_path, "bert", modules=PARTS)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    found = model(tmp_path)
    first = "cls" in str(pooling.get("pooling_mode")) or pooling.get("pooling_mode_cls_token")
    with torch.inference_mode():
        tokens = network(torch.tensor([[WORDS.index(word) for word in LONG.split()]])).last_hidden_state[0]
    torch.testing.assert_close(vectors(found, TEXTS)[0], tokens[0] if first else tokens.mean(0), atol=1e-5, rtol=1e-5)
    assert not found.notes
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "lasttoken"}))
    with pytest.raises(BadFile, match="by lasttoken, which relviz does not know"):
        model(tmp_path)


def test_layer_norms_of_old_files_have_other_names(tmp_path: Path) -> None:
    network = written(tmp_path, "bert")
    old = {
        "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t
        for name, t in load_file(tmp_path / "model.safetensors").items()
    }
    assert sum(name.endswith((".gamma", ".beta")) for name in old) == 10
    save_file(old, tmp_path / "model.safetensors")
    torch.testing.assert_close(vectors(model(tmp_path), TEXTS), right(network, TEXTS, 13), atol=1e-5, rtol=1e-5)


def test_without_a_token_for_padding_the_end_fills_up_short_texts(tmp_path: Path) -> None:
    network = written(tmp_path, "gpt2")
    torch.testing.assert_close(vectors(model(tmp_path), TEXTS), right(network, TEXTS, 13), atol=1e-5, rtol=1e-5)


def test_small_letters_prompts_and_pooling_are_as_the_folder_says_or_said(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "search: "}, "default_prompt_name": "query"}
    files = {"sentence_bert_config": {"do_lower_case": True}, "config_sentence_transformers": prompts}
    network = written(tmp_path, "bert", **files)
    found = model(tmp_path)
    torch.testing.assert_close(vectors(found, ["A LONG text"]), right(network, ["a long text"], 12))
    assert "without the prompt 'search: '" in found.notes[1] and "are the mean of its tokens" in found.notes[0]
