"""Honest and hostile files of weights, written on the spot."""

import io
import pickle  # noqa: TID251 hostile files are made of it
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

torch.manual_seed(0)
NETWORK = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 5))
STATE = OrderedDict((name, tensor.clone()) for name, tensor in NETWORK.state_dict().items())


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in STATE.items()}


def tied() -> dict[str, Tensor]:
    big = torch.arange(12.0)
    return {"a": big, "b": big, "view": big[2:8].view(2, 3).T}


HONEST: dict[str, Any] = {
    "a plain table": dict(STATE),
    "a module's state dict": NETWORK.state_dict(),
    "parameters": dict(NETWORK.named_parameters()),
    "nested under state_dict, with other facts": {"state_dict": STATE, "epoch": 3, "best": torch.tensor(0.9)},
    "nested twice": {"model": {"net": STATE}, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
    "ema": {"ema": STATE},
    "half precision": {name: tensor.half() for name, tensor in STATE.items()},
    "bfloat16": {name: tensor.bfloat16() for name, tensor in STATE.items()},
    "tied weights and views": tied(),
    "averaged": {"model_ema": STATE, "epoch": 1},
    "ema under another name": {"state_dict_ema": STATE, "best": torch.tensor(0.9)},
    "one table of an unknown name": {"weights": STATE, "dtype": torch.float16},
    "deepspeed": {"module": STATE, "global_steps": 3, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}},
}


class Runs:
    """Unpickled by a careless reader, it touches the canary."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.what = (call, arguments)

    def __reduce__(self) -> Any:
        return self.what


def archive(path: Path, content: bytes, extra: dict[str, bytes] | None = None, **options: Any) -> None:
    """A zip file as torch writes it, around any pickle."""
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, raw in {"archive/data.pkl": content, "archive/version": b"3\n", **(extra or {})}.items():
            file.writestr(name, raw)


def called(module: str, name: str, argument: bytes) -> bytes:
    """A pickle that calls a function with one argument."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"(" + argument + b"tR."


def legacy(path: Path, value: Any) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=False)


def hostile(folder: Path, canary: Path) -> dict[str, Path]:
    """Files that run code when unpickled, or that are no weights, each under what it is."""
    system = b"X" + struct.pack("<I", len(f"touch {canary}")) + f"touch {canary}".encode()
    written: dict[str, Path] = {}

    def path(kind: str, suffix: str = ".pt") -> Path:
        written[kind] = folder / f"{len(written)}{suffix}"
        return written[kind]

    runs = Runs(Path.touch, canary)
    path("a bare pickle").write_bytes(pickle.dumps({"w": runs}))
    torch.save({"w": runs}, path("code in an archive"))
    legacy(path("code in an old file"), {"w": runs})
    for name in ("system", "popen"):
        archive(path(f"os.{name}"), called("os", name, system))
    archive(path("eval"), called("builtins", "eval", b"X\x01\x00\x00\x001"))
    archive(path("indirect names"), b"\x80\x04\x8c\x02os\x8c\x06system\x93(" + system + b"tR.")
    archive(path("bytearray"), called("__builtin__", "bytearray", b"J\x00\x00\x00\x7f"))
    archive(path("tensor constructor"), called("torch", "FloatTensor", b"J\x00\x00\x00\x7f"))
    archive(path("broken off"), called("os", "system", system)[:-1])
    archive(path("payload, then garbage"), called("os", "system", system) + b"\xff" * 20)
    archive(path("TorchScript"), b"\x80\x02}.", {"archive/constants.pkl": b"\x80\x02)."})
    archive(path("packed"), b"\x80\x02}." + b"0" * 4000, compression=zipfile.ZIP_DEFLATED)
    archive(path("climbing names"), b"\x80\x02}.", {"archive/../../x": b""})
    torch.save(NETWORK, path("a whole module"))
    with zipfile.ZipFile(path("a NumPy archive", ".npz"), "w") as file:
        file.writestr("x.npy", b"\x93NUMPY")
    path("a web page", ".bin").write_bytes(b"<html></html>" * 9)
    path("noise").write_bytes(bytes(range(1, 200)) * 3)
    path("empty").write_bytes(b"")
    path("a header past the end", ".safetensors").write_bytes(struct.pack("<Q", 2**63) + b"{}")
    path("a header that lies", ".safetensors").write_bytes(_with_false_header())
    return written


def _with_false_header() -> bytes:
    header = b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(header)) + header + b"\0" * 4


def expanded(path: Path) -> None:
    """4 TB of numbers that repeat four bytes."""
    torch.save({"w": torch.ones(1).expand(2**40)}, path)


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()
