"""A comparison killed while it encodes leaves nothing broken, and the next one goes on after the rows that are kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from relviz import settings
from relviz.data.catalogue import load_dataset
from relviz.encoding import cache, spaces
from relviz.encoding.memory import Kept
from relviz.encoding.pieces import Pieces
from relviz.models.catalogue import find
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
MODEL, OTHER, DATA = "digits-cnn-s0", "digits-mlp-s0", "digits"
# `relviz compare` that encodes a hundred rows at once, waits after each of them, and notes which it reads.
COMPARE = f"""
import sys
import time
from relviz import cli, settings
from relviz.models.encoder import NetworkEncoder
settings.PIECE_SECONDS, settings.ENCODE_BATCH, pause = 0.0, 100, float(sys.argv[1])
encode = NetworkEncoder.encode
def slowly(self, data, rows):
    found = encode(self, data, rows)
    print(f"{{data.name}} {{rows.start}}", file=sys.stderr, flush=True)
    time.sleep(pause)
    return found
NetworkEncoder.encode = slowly
sys.exit(cli.main(["compare", "{MODEL}", "{OTHER}", "--data", "{DATA}", "--measures", "cka", "--json"]))
"""


def comparing(folder: Path, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMPARE, str(pause)]
    environment = {**os.environ, "RELVIZ_CACHE": str(folder), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)


def test_a_killed_comparison_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    untroubled = comparing(tmp_path / "other", 0.0).communicate()[0]
    killed = comparing(tmp_path / "cache", 0.2)
    kept = tmp_path / "cache"
    wait_until(lambda: len(list(kept.rglob("piece-*.safetensors"))) >= 3)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    monkeypatch.setenv("RELVIZ_CACHE", str(kept))
    assert not list(kept.rglob("space-*"))
    pieces = [path.name.removesuffix(".safetensors") for path in kept.rglob("piece-*.safetensors")]
    assert len(pieces) >= 3 and all(cache.read(name) is not None for name in pieces)

    answer, told = comparing(kept, 0.0).communicate()
    assert json.loads(answer) == json.loads(untroubled)
    starts = [int(line.split()[1]) for line in told.splitlines() if line.startswith(f"{DATA} ")]
    assert starts[0] == 100 * len(pieces) and starts.count(0) == 1  # the second model begins at its beginning
    assert not list(kept.rglob("piece-*")) and len(list(kept.rglob("space-*"))) == 2


class Stopped(Exception):
    pass


def test_cancelled_rows_are_kept_and_damaged_ones_are_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(settings, "PIECE_SECONDS", 0.0)
    monkeypatch.setattr(spaces, "_spaces", Kept(10**9, lambda space: space.nbytes))
    model, data = find(MODEL), load_dataset(DATA)
    whole = model.load().encode(data, slice(0, len(data)))

    def stop(share: float, _text: str) -> None:
        if share > 0.5:
            raise Stopped

    with pytest.raises(Stopped):
        spaces.space_of(find(MODEL), load_dataset(DATA), stop)
    pieces = Pieces(model.fingerprint, data.fingerprint)
    first = pieces.read((len(data), model.width))
    assert len(first) == 2 * settings.ENCODE_BATCH
    torch.testing.assert_close(first, whole[: len(first)])
    shares: list[float] = []
    torch.testing.assert_close(
        spaces.space_of(find(MODEL), load_dataset(DATA), lambda share, _: shares.append(share)), whole
    )
    assert min(shares) == len(first) / len(data)

    Pieces(model.fingerprint, data.fingerprint).keep(0, whole[:500])
    path = next(tmp_path.rglob("piece-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    assert len(Pieces(model.fingerprint, data.fingerprint).read((len(data), model.width))) == 0
