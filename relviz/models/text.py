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
from relviz.errors import BadFile, MissingData
from relviz.models.nodes import mean_of_tokens
from relviz.models.reading import Built
from relviz.models.watching import OUTPUT
from relviz.packages import needed

TRANSFORMERS = "transformers"
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}

TRIED = ("What is a latent space?", "Cats sleep.", "One")
_LONGEST = 512
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
    try:
        settings_of = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        transformer = transformers.AutoModel.from_config(settings_of, trust_remote_code=False)
        tokeniser = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever hundreds of models raise
        reason = " ".join(str(error).split())[:160]
        raise BadFile(
            f"{folder} is no folder of a text encoder ({reason}).", "Name a folder with config.json."
        ) from error
    return Built(
        network=Pooled(transformer, pooling=pooling, unit=unit),
        reads=_texts(tokeniser, _longest(folder, settings_of)),
        origin=f"Hugging Face {name}, {pooling} of its tokens ({stated})",
        licence=_licence(folder),
        weights=_named(read_checkpoint(file), transformer),
        file=file,
        node=OUTPUT,
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


def _pooling(folder: Path) -> tuple[str, bool, str]:
    """ "mean" or "cls", whether vectors are scaled to length 1, and who says so."""
    parts = _json(folder / "modules.json", [])
    if not parts:
        return "mean", False, "relviz's default"
    kinds = {str(part.get("type", "")).rpartition(".")[2]: folder / str(part.get("path", "")) for part in parts}
    unknown = kinds.keys() - {"Transformer", "Pooling", "Normalize"}
    config = _json(kinds.get("Pooling", folder) / "config.json", {})
    chosen = {POOLINGS.get(key, key) for key, on in config.items() if key.startswith("pooling_mode_") and on is True}
    if unknown or len(chosen) != 1 or not chosen <= set(POOLINGS.values()):
        what = ", ".join(sorted(unknown | chosen)) or "no pooling"
        raise BadFile(f"{folder} makes vectors by {what}, which relviz does not know.", "Choose mean or cls models.")
    return chosen.pop(), "Normalize" in kinds, "as its folder says"


def _json(file: Path, otherwise: Any) -> Any:
    if not file.is_file():
        return otherwise
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadFile(f"{file} is damaged ({error}).", "Download the folder again.") from error


def _longest(folder: Path, config: Any) -> int:
    stated = _json(folder / "sentence_bert_config.json", {}).get("max_seq_length")
    return min(int(stated or _LONGEST), int(getattr(config, "max_position_embeddings", _LONGEST)), _LONGEST)


def _texts(tokeniser: Any, longest: int) -> Texts:
    """Texts by the rules of a tokeniser, cut after so many tokens."""
    from relviz.models.model import fingerprint

    rules = tokeniser.backend_tokenizer.to_str() if tokeniser.is_fast else sorted(tokeniser.get_vocab().items())

    def tokens(texts: list[str]) -> tuple[Tensor, ...]:
        made = tokeniser(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
        return made["input_ids"], made["attention_mask"]

    return Texts(f"{longest} of {fingerprint({}, rules)}", tokens)


def _licence(folder: Path) -> str:
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8", errors="replace").splitlines()[:40] if card.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("license:")), "not stated")


def _named(tensors: Mapping[str, Tensor], transformer: Any) -> dict[str, Tensor]:
    """The transformer's tensors under the names of `Pooled`; heads for other tasks beside it are left out."""
    prefix = f"{transformer.base_model_prefix}."
    wanted = transformer.state_dict().keys()
    bare = {name.removeprefix(prefix) if name not in wanted else name: tensor for name, tensor in tensors.items()}
    return {f"transformer.{name}": tensor for name, tensor in bare.items() if name in wanted}
