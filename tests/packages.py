"""Tiny installed packages: one module and its metadata beside it, in a folder that PYTHONPATH names."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def install(
    folder: Path, name: str, source: str, points: Mapping[str, Mapping[str, str]], version: str = "1.0"
) -> None:
    """Put a module and its metadata into a folder.

    Parameters
    ----------
    points: group of entry points to name to object, such as {"relviz.measures": {"spread": "toy:SPREAD"}}.
    """
    (folder / f"{name}.py").write_text(source)
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in found.items())
        for group, found in points.items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter that finds relviz and the packages of the folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)


def page_controls(folder: Path, page: str) -> dict[str, list[str]]:
    """The boxes of a page and what can be chosen in them, where the packages of the folder are installed."""
    code = f"""
import json, streamlit.testing.v1 as testing
app = testing.AppTest.from_file({str(ROOT / "pages" / "frame.py")!r}, default_timeout=120)
app.query_params["data"] = "digits"
app.run()
app.switch_page({str(ROOT / "pages" / page)!r}).run()
assert not app.exception, app.exception
boxes = [*app.selectbox, *app.multiselect]
print(json.dumps({{box.key: list(box.options) for box in boxes}}))
"""
    done = python(folder, "-c", code)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
