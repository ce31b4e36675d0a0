"""Telling whether files have changed without reading them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs as soon as a file is written or replaced, None where there is none.

    >>> stamp(Path("no/such/file")) is None
    True
    """
    try:
        facts = path.stat()
    except (OSError, ValueError):  # the latter of a path with a null character
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def tree_stamp(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """The same of a file, or of a folder and everything in it; of nothing where there is none.

    >>> tree_stamp(Path("no/such/folder"))
    ()

    Raises
    ------
    OSError: a folder in it cannot be listed.
    """
    facts = {str(path): path.stat()} if path.exists() else {}
    folders = [str(path)] if path.is_dir() else []
    while folders:  # by scandir: a page looks every second, and pathlib takes five times as long
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):  # a link to nowhere, or in a circle
                    facts[entry.path] = entry.stat()
                folders += [entry.path] if entry.is_dir(follow_symlinks=False) else []
    return tuple((name, fact.st_mtime_ns, fact.st_size, fact.st_ino) for name, fact in sorted(facts.items()))
