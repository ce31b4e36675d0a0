"""Text encoders in the folders of transformers and sentence-transformers, or by their names on the hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from relviz import settings
from relviz.checkpoints.door import read_checkpoint
from relviz.data.dataset import DataSet
from relviz.errors import BadFile, MissingData, one_line
from relviz.models.nodes import mean_of_tokens
from relviz.models.reading import Built
from relviz.models.watching import OUTPUT
from relviz.packages import needed

TRANSFORMERS = "transformers"
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}

TRIED = ("What is a latent space?", "Cats sleep.", "One")
_LONGEST = 512  # tokens, where nothing says how many
_ENDLESS = 10**9  # what transformers writes where a tokeniser knows no limit is larger
_KINDS = ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
_OLD = {".gamma": ".weight", ".beta": ".bias"}  # of layer norms in files of before 2019
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model.bin"]


class Pooled(nn.Module):
    """A transformer and what makes one vector of its tokens: their mean, or the first one."""

    def __init__(self, transformer: nn.Module, *, pooling: str, unit: bool) -> None:
        super().__init__()
        self.transformer, self.pooling, self.unit = transformer, pooling, unit

    def extra_repr(self) -> str:
        """Part of the fingerprint."""
        return f"pooling={self.pooling}, unit={self.unit}"

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Vectors `b x d` of tokens and their mask, both int64 `b x t`."""
        found = self.transformer(input_ids=tokens, attention_mask=mask).last_hidden_state
        pooled = found[:, 0] if self.pooling == "cls" else mean_of_tokens(found, mask)
        return nn.functional.normalize(pooled, dim=1) if self.unit else pooled


@dataclass(frozen=True)
class Texts:
    """Texts as the tokens that a network reads.

    Attributes
    ----------
    rules: what decides the tokens, for the fingerprint.
    tokens: of b texts the numbers of their tokens, and 1 where there is one and 0 where a text has ended, `b x t`.
    """

    rules: str
    tokens: Callable[[list[str]], tuple[Tensor, ...]] = field(repr=False, compare=False)
    modality = "text"

    def misfit(self, data: DataSet) -> str | None:
        """As `Reads`."""
        return None if data.modality == "text" else f"reads texts, and '{data.name}' holds {data.modality} samples"

    def inputs(self, data: DataSet, rows: slice) -> tuple[Tensor, ...]:
        """As `Reads`."""
        samples: Any = data.samples
        return self.tokens(list(samples[rows]))

    def example(self) -> tuple[Tensor, ...]:
        """As `Reads`."""
        return self.tokens(list(TRIED))


def of_hub(name: str, checkpoint: Path | None) -> Built:
    """The text encoder in a folder, or of that name in the hub's cache.

    Pooling is the folder's own (`1_Pooling/config.json`), else the mean of the tokens.

    Raises
    ------
    MissingPackage, MissingData, BadFile: transformers, the folder, or what lies in it.
    """
    transformers = needed(TRANSFORMERS, requirement=TRANSFORMERS, purpose="Models of Hugging Face")
    folder = _folder(name)
    file = checkpoint or next((folder / part for part in _WEIGHTS if (folder / part).is_file()), folder / _WEIGHTS[0])
    pooling, unit, stated = _pooling(folder)
    facts = _facts(folder)
    try:
        settings_of = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        transformer = transformers.AutoModel.from_config(settings_of, trust_remote_code=False)
        tokeniser = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever hundreds of models raise
        reason = one_line(error)
        raise BadFile(
            f"{folder} is no folder of a text encoder ({reason}).", "Name a folder with config.json."
        ) from error
    longest, notes = _longest(name, facts, tokeniser, transformer)
    said = "as its folder says" if stated else "relviz's default"
    if not stated:
        notes += (f"Vectors of '{name}' are the mean of its tokens; state it in modules.json if that is wrong.",)
    return Built(
        network=Pooled(transformer, pooling=pooling, unit=unit),
        reads=_texts(folder, tokeniser, longest, lower=bool(facts.get("do_lower_case"))),
        origin=f"Hugging Face {name}, {pooling} of its tokens ({said})",
        licence=_licence(folder),
        weights=_named(read_checkpoint(file), transformer),
        file=file,
        node=OUTPUT,
        notes=notes + _prompt(name, folder),
    )


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    hub = needed("huggingface_hub", requirement="huggingface_hub", purpose="Models of Hugging Face")
    missing = MissingData(
        f"There is no folder {name}, and no model of that name in the cache of the hub.",
        "Allow the download with RELVIZ_DOWNLOAD=1, or name the folder of a model.",
    )
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise missing
    try:
        found = hub.snapshot_download(name, allow_patterns=_FILES, local_files_only=not settings.may_download())
    except (OSError, ValueError) as error:
        raise missing from error
    return Path(found)


def _pooling(folder: Path) -> tuple[str, bool, bool]:
    """ "mean" or "cls", whether vectors are scaled to length 1, and whether the folder says so."""
    parts = _json(folder / "modules.json", [])
    if not parts:
        return "mean", False, False
    kinds = {str(part.get("type", "")).rpartition(".")[2]: folder / str(part.get("path", "")) for part in parts}
    unknown = kinds.keys() - {"Transformer", "Pooling", "Normalize"}
    config = _json(kinds.get("Pooling", folder) / "config.json", {})
    chosen = {POOLINGS.get(key, key) for key, on in config.items() if key.startswith("pooling_mode_") and on is True}
    chosen |= {str(config["pooling_mode"])} if "pooling_mode" in config else set()  # since sentence-transformers 5.4
    if unknown or len(chosen) != 1 or not chosen <= set(POOLINGS.values()):
        what = ", ".join(sorted(unknown | chosen)) or "no pooling"
        raise BadFile(f"{folder} makes vectors by {what}, which relviz does not know.", "Choose mean or cls models.")
    return chosen.pop(), "Normalize" in kinds, True


def _json(file: Path, otherwise: Any) -> Any:
    if not file.is_file():
        return otherwise
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadFile(f"{file} is damaged ({error}).", "Download the folder again.") from error


def _facts(folder: Path) -> dict[str, Any]:
    """What sentence-transformers states about the transformer of a folder."""
    files = [folder / f"sentence_{kind}_config.json" for kind in _KINDS]
    facts = _json(next((file for file in files if file.is_file()), files[0]), {})
    if not isinstance(facts, dict):
        raise BadFile(f"{folder} has a sentence_bert_config.json that is no table.", "Download the folder again.")
    return facts


def _longest(name: str, facts: Mapping[str, Any], tokeniser: Any, transformer: Any) -> tuple[int, tuple[str, ...]]:
    """After how many tokens texts are cut, as sentence-transformers does it, and what is assumed about that.

    What the folder states counts; else what the tokeniser does, up to the positions that the network has.
    """
    stated = facts.get("max_seq_length")
    positions = _positions(transformer)
    known = [limit for limit in (stated or int(tokeniser.model_max_length), positions) if limit is not None]
    longest = min(int(limit) for limit in known)
    if 0 < longest < _ENDLESS:
        return longest, ()
    said = f"Texts for '{name}' are cut after {_LONGEST} tokens, for its folder names no length;"
    return _LONGEST, (f"{said} state max_seq_length in sentence_bert_config.json if that is wrong.",)


def _positions(transformer: Any) -> int | None:
    """Tokens that the network has positions for; those of RoBERTa begin after that of the padding."""
    table = getattr(getattr(transformer, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    try:
        most = getattr(transformer.config, "max_position_embeddings", None)
    except NotImplementedError:  # those of XLNet, which counts distances instead
        most = None
    return most if most is None or padding is None else most - padding - 1


def _prompt(name: str, folder: Path) -> tuple[str, ...]:
    """A note on the words that sentence-transformers would put before every text."""
    config = _json(folder / "config_sentence_transformers.json", {})
    prompt = (config.get("prompts") or {}).get(config.get("default_prompt_name") or "")
    if not prompt:
        return ()
    said = f"Texts go into '{name}' as they are, without the prompt '{prompt[:60]}' that its folder names;"
    return (f"{said} write it before the texts of your data if that is wrong.",)


def _texts(folder: Path, tokeniser: Any, longest: int, *, lower: bool) -> Texts:
    """Texts by the rules of a tokeniser, cut after so many tokens."""
    from relviz.models.model import fingerprint

    rules = tokeniser.backend_tokenizer.to_str() if tokeniser.is_fast else sorted(tokeniser.get_vocab().items())
    tokeniser.padding_side = "right"  # where positions are counted from the left
    if tokeniser.pad_token is None:
        if tokeniser.eos_token is None:
            raise BadFile(f"The tokeniser in {folder} has no token that fills up short texts.", "Give it a pad_token.")
        tokeniser.pad_token = tokeniser.eos_token  # the mask hides it

    def tokens(texts: list[str]) -> tuple[Tensor, ...]:
        texts = [text.lower() for text in texts] if lower else texts
        made = tokeniser(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
        return made["input_ids"], made["attention_mask"]

    return Texts(f"{longest} of {fingerprint({}, rules)}{' in small letters' if lower else ''}", tokens)


def _licence(folder: Path) -> str:
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8", errors="replace").splitlines()[:40] if card.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("license:")), "not stated")


def _named(tensors: Mapping[str, Tensor], transformer: Any) -> dict[str, Tensor]:
    """The transformer's tensors under the names of `Pooled`; heads for other tasks beside it are left out."""
    prefix = f"{transformer.base_model_prefix}."
    wanted = transformer.state_dict().keys()
    bare = {name.removeprefix(prefix) if name not in wanted else name: tensor for name, tensor in tensors.items()}
    for name in [name for name in bare if name not in wanted]:
        for old, new in _OLD.items():
            if name.endswith(old) and name.removesuffix(old) + new in wanted:
                bare[name.removesuffix(old) + new] = bare.pop(name)
    return {f"transformer.{name}": tensor for name, tensor in bare.items() if name in wanted}
