"""200,000 x 512 inside 4 GiB: every measure that is not quadratic by definition, in a process of its own."""

import json
import subprocess
import sys

SCRIPT = """
import json
from pathlib import Path
import torch
from relviz.core.measures import MEASURES, Pair
g = torch.Generator().manual_seed(0)
a, b = (torch.randn(200_000, 512, generator=g) for _ in range(2))
pair = Pair(a, b, k=10)
names = ("cka", "cka-debiased", "svcca", "pwcca", "procrustes", "cosine", "rsa")
values = {name: MEASURES[name](pair).value for name in names}
status = Path("/proc/self/status").read_text().splitlines()
peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
print(json.dumps({"values": values, "gib": peak / 2**20}))
"""


def test_large_spaces_stay_inside_four_gib() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["gib"] < 4
    assert all(value is not None for value in found["values"].values())
    assert abs(found["values"]["cka-debiased"]) < 0.01  # unrelated spaces
