"""K1 and K3: processes that are killed while they write, and processes that write the same entry at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.faults.cache_storm import KILLS, RACERS, ROUNDS

ROOT = Path(__file__).resolve().parents[2]


def storm(kind: str, folder: Path) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.cache_storm", kind],
        cwd=ROOT,
        env={**os.environ, "RELVIZ_CACHE": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_k1_no_kill_corrupts_or_loses_an_entry(tmp_path: Path) -> None:
    found = storm("killed", tmp_path)
    assert (found["corrupt"], found["lost"], found["leftovers"]) == (0, 0, 0)
    assert found["kills"] >= KILLS
    assert found["interrupted"] > 0 and found["stored"] > KILLS and found["whole"] > 0  # the storm was one


def test_k3_racing_writers_leave_one_whole_entry(tmp_path: Path) -> None:
    found = storm("raced", tmp_path)
    assert found == {"reads": 2 * RACERS * ROUNDS, "whole": 2 * RACERS * ROUNDS, "contents": ROUNDS}
