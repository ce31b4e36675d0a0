"""`benchmarks/RESULTS.md`: one part for each command that measures, replaced by that command alone."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "RESULTS.md"
_HEAD = (
    "# Benchmarks\n\nEach part is written by the command that it names, in one run on a shared machine: trust the "
    "ratios, not the seconds.\n"
)


def write_part(title: str, text: str) -> None:
    """Replace the part of that title, or put it last; the others stay as they are."""
    found = re.split(r"^## ", RESULTS.read_text(), flags=re.MULTILINE)[1:] if RESULTS.exists() else []
    parts = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in found}
    parts[title] = text.strip()
    RESULTS.write_text(_HEAD + "".join(f"\n## {title}\n\n{text}\n" for title, text in parts.items()))
    print(f"written to {RESULTS}")


def machine(packages: Sequence[str]) -> str:
    """The sentence that says where a part was measured, and with which packages."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"Machine: {os.cpu_count()} CPU cores ({platform.machine()}), {device}; Python {platform.python_version()}, "
        f"{versions}."
    )
