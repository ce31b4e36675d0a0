"""Every registered method computes where its inputs are, every use case on the chosen device; seen without a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

from relviz.core.heads import HEADS
from relviz.core.measures import MEASURES
from relviz.core.projections import PROJECTIONS
from tests.device.agreement import CLOSED_FORM


def test_no_method_and_no_use_case_leaves_its_device(tmp_path: Path) -> None:
    command, empty = [sys.executable, "-m", "tests.device.pretence"], {"RELVIZ_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=os.environ | empty)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    methods = {name.split(",")[0] for name in found}
    for kind, names in {
        "measure": MEASURES,
        "projection": PROJECTIONS,
        "translation": CLOSED_FORM,
        "head": HEADS,
    }.items():
        assert {f"{kind} {name}" for name in names} <= methods
    assert {"compare", "similarity", "layers", "stitch", "maps"} <= methods
    assert not {name: gap for name, gap in found.items() if not gap <= 1e-4}
